"""Does everything agree: log, store, index and sidecars against one another, and mending what does not."""
