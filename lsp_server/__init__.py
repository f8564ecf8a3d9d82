"""The language server: what the record knows of a file, at the line where it matters (SPEC 10)."""
