"""Benchmarks: `python -m tests.benchmarks.<name> [--json]`; ratios measured in one run, never timed tests."""
