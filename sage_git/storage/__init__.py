"""Is it on disk, once: durable writes, locks, chronicle files, the writer log and its index. Knows no git."""
