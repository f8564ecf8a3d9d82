"""What an event and a chronicle are. Pure: no file, process, clock, socket, randomness or logging."""
