"""When each stage runs, whether the next may start, and what is shown."""
