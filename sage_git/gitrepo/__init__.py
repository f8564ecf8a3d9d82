"""What git says: the one way to run it, and named questions. Not here: what the answers mean."""
