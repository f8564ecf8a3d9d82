"""`verify`: everything derived anew, in a folder elsewhere, and held against what the record says."""
