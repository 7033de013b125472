"""What the benchmark of the collector is made of."""
