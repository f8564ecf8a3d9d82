"""Reading the record: histories, single events, what is open; nothing here decides or writes."""
