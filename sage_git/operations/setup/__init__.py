"""Beginning, proving and ending a record in a clone: config, hooks, exclude block."""
