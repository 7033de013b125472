"""Dagster definitions, one file per stage concern, merged by the folder."""
