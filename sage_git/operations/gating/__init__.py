"""The gate: what a commit that is about to be made lacks, told or refused before it is made (SPEC 6.3, 7)."""
