"""Plans: drafting one, having it approved, working under it, and seeing what it covered (SPEC 6.1)."""
