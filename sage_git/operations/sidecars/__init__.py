"""Sidecars as views of the record: where they lie, what they show, what others wrote into them."""
