"""Opening the warehouse to load into it."""

import duckdb
import pytest

from sources.configuration import read_configuration
from sources.warehouse import open_duckdb


def test_a_file_that_is_no_warehouse_is_not_waited_for(cdp_home, monkeypatch):
    """Though its name speaks of locks, as DuckDB's words for a file that another process has."""
    file = cdp_home / "locksmith.duckdb"
    file.write_bytes(b"garbage")
    monkeypatch.setenv("CDP_WAREHOUSE", str(file))
    with pytest.raises(duckdb.IOException, match="not a valid DuckDB"):
        open_duckdb(read_configuration(), patience=0)
