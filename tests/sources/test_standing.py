"""dlt's state follows the warehouse: what isn't there was never loaded."""

import shutil
import subprocess
import sys

import pytest

from sources.configuration import read_configuration
from sources.refusals import WarehouseBusy
from sources.source import load_source
from sources.warehouse import warehouse


@pytest.fixture
def loaded(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.drop_rows("shop/visits/a.jsonl", {"id": "v1"})
    town.load()
    return town


def test_a_deleted_warehouse_is_loaded_again_from_the_start(loaded):
    (loaded.home / "warehouse.duckdb").unlink()
    assert loaded.load().rows == {"customers": 1, "visits": 1}


def test_a_warehouse_that_another_source_began_anew_is_loaded_again_from_the_start(loaded):
    (loaded.home / "warehouse.duckdb").unlink()
    loaded.load(load_source("crm"))
    assert loaded.load().rows == {"customers": 1, "visits": 1}


def test_a_dropped_table_starts_again_and_the_others_do_not(loaded):
    loaded.change("drop table raw.shop__customers")
    assert loaded.load().rows == {"customers": 1}
    assert loaded.rows("select count(*) from raw.shop__visits") == [(1,)]
    assert loaded.load().rows == {}


def test_a_dropped_schema_starts_again(loaded):
    loaded.change("drop schema raw cascade")
    assert loaded.load().rows == {"customers": 1, "visits": 1}


def test_a_warehouse_restored_from_a_copy_gets_what_came_after_the_copy(loaded):
    copy = loaded.home / "copy.duckdb"
    shutil.copy(loaded.home / "warehouse.duckdb", copy)
    loaded.drop_rows("shop/customers/b.jsonl", {"id": "c2"})
    loaded.load()
    shutil.copy(copy, loaded.home / "warehouse.duckdb")
    assert loaded.load().rows == {"customers": 1}
    assert loaded.customers() == ["c1", "c2"]


def test_a_machine_without_state_takes_up_the_state_of_the_warehouse(loaded):
    shutil.rmtree(loaded.home / "dlt")
    assert loaded.load().rows == {}
    loaded.drop_rows("shop/customers/b.jsonl", {"id": "c2"})
    assert loaded.load().rows == {"customers": 1}
    assert loaded.customers() == ["c1", "c2"]


def test_a_machine_whose_state_is_behind_takes_up_the_state_of_the_warehouse(loaded):
    shutil.copytree(loaded.home / "dlt", loaded.home / "behind")
    loaded.drop_rows("shop/customers/b.jsonl", {"id": "c2"})
    loaded.load()
    shutil.rmtree(loaded.home / "dlt")
    (loaded.home / "behind").rename(loaded.home / "dlt")
    assert loaded.load().rows == {}
    assert loaded.customers() == ["c1", "c2"]


def test_a_change_by_someone_else_to_the_file_loads_nothing_again(loaded):
    loaded.change("create table main.mine (a int)")
    assert loaded.load().rows == {}


def test_a_held_warehouse_is_waited_for_and_then_refused_by_name(loaded, tmp_path):
    hold = (
        f"import duckdb, sys; c = duckdb.connect({str(loaded.home / 'warehouse.duckdb')!r})\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        said = f"held by process {holder.pid}; waited 0 s"
        with pytest.raises(WarehouseBusy, match=said), warehouse(read_configuration(), patience=0.3):
            pass
        holder.stdin.close()
    with warehouse(read_configuration(), patience=5):
        pass
