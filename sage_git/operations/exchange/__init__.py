"""Exchanging writer logs with peers: what goes out, what comes in, and what of that is believed (SPEC 11)."""
