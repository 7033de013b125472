"""Whoever met a row that another transaction writes begins again, and no other fault is hidden by that."""

import duckdb
import pytest

from reverse_etl.contended import again


def failing(*faults):
    """Work that raises these, one at a time, and then is done."""
    waiting = list(faults)

    def work():
        if waiting:
            raise waiting.pop(0)
        return "done"

    return work


CONFLICT = duckdb.TransactionException("TransactionContext Error: Conflict on tuple deletion!")


def test_a_conflict_begins_the_work_again():
    assert again(failing(CONFLICT, CONFLICT)) == "done"


def test_not_for_ever():
    with pytest.raises(duckdb.TransactionException, match="Conflict"):
        again(failing(CONFLICT, CONFLICT, CONFLICT))


@pytest.mark.parametrize("fault", [duckdb.TransactionException("no transaction is active"), ValueError("else")])
def test_another_fault_is_told_at_once(fault):
    with pytest.raises(type(fault), match=str(fault)):
        again(failing(fault))
