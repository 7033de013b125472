"""The file of decisions: what is written, what is refused, and that two writers lose nothing."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_cdp.identity.decisions import (
    COLUMNS,
    Decision,
    DecisionRefused,
    add_decisions,
    read_decisions,
    withdraw_decisions,
)

TODAY = date(2026, 3, 2)
LINK = Decision("must_link", 1, 2, "same household card", "crm team", TODAY)
PART = replace(LINK, decision="cannot_link")


def test_what_is_written_is_read_again_sorted_by_pair(seed):
    new = [replace(LINK, left=left, right=left + 1, expires_on=TODAY + timedelta(days=1)) for left in (7, 3, 5)]
    assert add_decisions(new, TODAY) == new
    assert read_decisions() == sorted(new, key=lambda one: one.pair)
    assert seed.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert [file.name for file in seed.parent.iterdir()] == [seed.name]


def test_the_same_decision_again_writes_nothing(seed):
    add_decisions([LINK], TODAY)
    before = seed.read_bytes()
    assert add_decisions([replace(LINK, reason="once more")], TODAY) == []
    assert seed.read_bytes() == before


def test_an_expired_decision_makes_way(seed):
    tomorrow = TODAY + timedelta(days=1)
    add_decisions([replace(PART, expires_on=tomorrow)], TODAY)
    add_decisions([replace(LINK, decided_on=tomorrow)], tomorrow)
    assert [one.decision for one in read_decisions()] == ["must_link"]


@pytest.mark.parametrize(("first", "second"), [(LINK, PART), (PART, LINK)])
def test_the_opposite_is_refused_while_one_is_in_force(seed, first, second):
    add_decisions([first], TODAY)
    with pytest.raises(DecisionRefused, match="contradicts"):
        add_decisions([second], TODAY)
    assert read_decisions() == [first]


def test_once_withdrawn_it_stays_on_record_and_the_opposite_may_be_said(seed):
    other = replace(PART, left=7, right=8)
    add_decisions([LINK, other], TODAY)
    tomorrow = TODAY + timedelta(days=1)
    assert withdraw_decisions([LINK.decision_id], tomorrow) == [replace(LINK, expires_on=tomorrow)]
    assert read_decisions() == [replace(LINK, expires_on=tomorrow), other]
    assert [one for one in read_decisions() if one.is_active(tomorrow)] == [other]
    assert add_decisions([PART], tomorrow) == [PART]


def test_the_refusal_names_the_command_that_ends_what_it_contradicts(seed):
    add_decisions([PART], TODAY)
    with pytest.raises(DecisionRefused, match=f"`cdp identity withdraw {PART.decision_id}`"):
        add_decisions([LINK], TODAY)


def test_what_is_not_in_force_cannot_be_withdrawn_and_nothing_is_written(seed):
    add_decisions([LINK], TODAY)
    before = seed.read_bytes()
    for unknown in (PART.decision_id, "0123456789"):
        with pytest.raises(DecisionRefused, match=f"no decision in force has the id {unknown}"):
            withdraw_decisions([LINK.decision_id, unknown], TODAY)
    with pytest.raises(DecisionRefused, match="no decision in force"):
        withdraw_decisions([replace(LINK, left=4).decision_id], TODAY)
    assert seed.read_bytes() == before
    withdraw_decisions([LINK.decision_id], TODAY)
    with pytest.raises(DecisionRefused, match="no decision in force"):
        withdraw_decisions([LINK.decision_id], TODAY)


def test_so_is_parting_what_is_linked_over_a_third(seed):
    add_decisions([LINK, replace(LINK, left=2, right=3)], TODAY)
    with pytest.raises(DecisionRefused, match="perhaps over further identifiers"):
        add_decisions([replace(PART, left=1, right=3)], TODAY)


def test_and_linking_over_a_third_what_is_parted(seed):
    add_decisions([LINK, replace(PART, left=1, right=3)], TODAY)
    with pytest.raises(DecisionRefused, match="cannot_link of crm team on 2026-03-02"):
        add_decisions([replace(LINK, left=2, right=3)], TODAY)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"owner": " "}, "--owner"),
        ({"reason": ""}, "--reason"),
        ({"reason": "two\nlines"}, "one line"),
        ({"reason": "she wrote from ada@shop.example"}, "say it without"),
        ({"reason": "called from +44 1632 960001"}, "say it without"),
        ({"expires_on": TODAY}, "has come"),
        ({"right": 1}, "the same identifier"),
    ],
)
def test_refusals_write_nothing_and_say_what_to_do(seed, changed, told):
    before = seed.read_bytes()
    with pytest.raises(DecisionRefused, match=told):
        add_decisions([replace(LINK, left=4, right=5), replace(LINK, **changed)], TODAY)
    assert seed.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("maybe,1,2,r,o,2026-01-01,", "line 2"),
        ("must_link,2,1,r,o,2026-01-01,", "smaller"),
        ("must_link,a,2,r,o,2026-01-01,", "whole"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(seed, line, told):
    seed.write_text(f"{','.join(COLUMNS)}\n{line}\n")
    with pytest.raises(DecisionRefused, match=told):
        read_decisions()


def test_a_file_of_other_columns_is_refused(seed):
    seed.write_text("a,b\n")
    with pytest.raises(DecisionRefused, match="the first line must be"):
        read_decisions()


def test_writers_at_the_same_time_lose_nothing(seed):
    def write(first):
        for left in range(first, first + 100, 10):
            add_decisions([replace(LINK, left=left, right=left + 1)], TODAY)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 1000, 2000, 3000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(read_decisions()) == 40


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_what_is_in_force_never_contradicts_itself(tmp_path_factory, asked):
    seed = tmp_path_factory.mktemp("seeds") / "identity_decisions.csv"
    seed.write_text(",".join(COLUMNS) + "\n")
    for is_link, left, right in asked:
        pair = {"left": min(left, right), "right": max(left, right)}
        try:
            add_decisions([replace(LINK if is_link else PART, **pair)], TODAY, seed)
        except DecisionRefused:
            continue
    kept = read_decisions(seed)
    together = {node: {node} for node in range(6)}
    for one in kept:
        if one.decision == "must_link":
            joined = together[one.left] | together[one.right]
            together |= dict.fromkeys(joined, joined)
    assert all(one.right not in together[one.left] for one in kept if one.decision == "cannot_link")
