"""The owner: one process that has the DuckDB file, tails the log, and keeps the hot models within seconds of it."""
