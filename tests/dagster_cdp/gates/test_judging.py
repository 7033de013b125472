"""A verdict is given once and kept; what is red, unjudged or could not be judged may not pass."""

import json
import subprocess
import sys

import pytest

from dagster_cdp.gates import (
    GateHeld,
    NoVerdict,
    Suite,
    accept,
    accept_newest,
    held_tables,
    judge,
    newest_verdict,
    newest_verdicts,
    refuse_held,
)

RAW, AUDIENCE = "raw.shop__orders", "audiences.fans"
NOT_NULL = {"expect": "ExpectColumnValuesToNotBeNull", "column": "id", "why": "the key"}


def suite_on(table, *items, owner="crm@cdp.example"):
    batch = "load" if table == RAW else "table"
    return Suite(table=table, owner=owner, description="d", batch=batch, expectations=items or (NOT_NULL,))


def rows(count, prefix="o"):
    return [(f"{prefix}{number}", "ann@example.com") for number in range(count)]


MANY = rows(100)


def test_a_changed_suite_judges_the_same_batch_anew(shop, clerk):
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    stricter = suite_on(RAW, NOT_NULL | {"mostly": 0.5})
    assert not judge(stricter, shop.warehouse).reused
    assert judge(stricter, shop.warehouse).reused
    assert {row[3] for row in shop.verdict_rows()} == {"1.0..1.0"}


def test_a_changed_owner_judges_nothing_anew(shop, clerk):
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    assert judge(suite_on(RAW, owner="else@cdp.example"), shop.warehouse).reused


def test_content_that_comes_back_brings_its_verdict_back_as_the_newest(shop, clerk):
    """Who reads only the newest row must not see the pass of content that is gone."""
    clerk.answer = False
    shop.build([("bad", None)])
    judge(suite_on(AUDIENCE), shop.warehouse)
    clerk.answer = True
    shop.build([("good", None)])
    judge(suite_on(AUDIENCE), shop.warehouse)
    shop.build([("bad", None)])
    verdict = judge(suite_on(AUDIENCE), shop.warehouse)
    assert (verdict.reused, verdict.is_passed) == (True, False)
    assert not newest_verdict(AUDIENCE, shop.warehouse).is_passed
    assert len(clerk.shown) == 2


def test_a_gate_that_crashes_is_red_and_tries_again(shop, clerk):
    shop.land("1.0", MANY)
    clerk.answer = MemoryError("ann@example.com")
    verdict = judge(suite_on(RAW), shop.warehouse)
    assert (verdict.is_passed, verdict.severity) == (False, "critical")
    assert verdict.crashed.startswith("MemoryError at conftest.py:")
    assert "ann@example.com" not in str(verdict)
    assert "the gate stopped on MemoryError" in held_tables(shop.warehouse, [suite_on(RAW)])[RAW]
    clerk.answer = True
    assert judge(suite_on(RAW), shop.warehouse).is_passed
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {}


def test_a_table_that_is_missing_is_a_red_gate_not_an_exception(shop, clerk):
    verdict = judge(suite_on("raw.shop__returns"), shop.warehouse)
    assert (verdict.is_passed, clerk.shown) == (False, [])
    assert verdict.crashed


def test_a_warning_alone_does_not_refuse(shop, clerk):
    shop.land("1.0", MANY)
    clerk.answer = False
    verdict = judge(suite_on(RAW, NOT_NULL | {"severity": "warning"}), shop.warehouse)
    assert (verdict.is_passed, verdict.severity) == (True, "warning")
    assert str(verdict).endswith("passed: ExpectColumnValuesToNotBeNull id: 7 of 9")


def test_a_red_table_is_held_until_a_newer_load_passes(shop, clerk):
    shop.land("1.0", MANY)
    clerk.answer = False
    judge(suite_on(RAW), shop.warehouse)
    reason = "batch 1.0..1.0 failed ExpectColumnValuesToNotBeNull id: 7 of 9"
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {RAW: reason}
    assert judge(suite_on(RAW), shop.warehouse).reused, "looking again doesn't make it green"
    shop.land("2.0", MANY)
    clerk.answer = True
    judge(suite_on(RAW), shop.warehouse)
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {}


def test_what_came_since_the_last_verdict_is_held(shop, clerk):
    shop.land("1.0", MANY)
    assert "has not been judged" in held_tables(shop.warehouse, [suite_on(RAW)])[RAW]
    judge(suite_on(RAW), shop.warehouse)
    shop.land("2.0", MANY)
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {RAW: "batch 2.0..2.0 has not been judged"}
    assert len(clerk.shown) == 1, "asking who is held judges nothing"


def test_what_an_owner_landed_since_holds_nobody_and_is_judged_next(shop, clerk):
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    shop.land("2.0", MANY, by="live")
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {}
    clerk.answer = False
    assert judge(suite_on(RAW), shop.warehouse).batch_id == "2.0..2.0"
    assert RAW in held_tables(shop.warehouse, [suite_on(RAW)]), "a verdict on it counts like any"
    shop.land("3.0", MANY)
    assert held_tables(shop.warehouse, [suite_on(RAW)]) == {RAW: "batch 3.0..3.0 has not been judged"}


def test_an_accepted_batch_passes_on_record(shop, clerk):
    shop.build([("p1", None)])
    clerk.answer = False
    refused = judge(suite_on(AUDIENCE), shop.warehouse)
    accept(AUDIENCE, refused.batch_id, "dana", "checked by hand", shop.warehouse)
    assert held_tables(shop.warehouse, [suite_on(AUDIENCE)]) == {}
    verdict = judge(suite_on(AUDIENCE), shop.warehouse)
    assert (verdict.is_passed, verdict.reused, verdict.accepted_by) == (True, True, "dana")
    assert verdict.failed == refused.failed, "what was found stays on record"
    assert [row[5] for row in shop.verdict_rows()] == [False, True]
    assert json.loads(shop.verdict_rows()[1][6])["reason"] == "checked by hand"
    shop.build([("p2", None)])
    assert not judge(suite_on(AUDIENCE), shop.warehouse).is_passed, "it was that batch that was accepted"


def test_a_batch_without_a_verdict_can_not_be_accepted(shop, clerk):
    judge(suite_on(RAW), shop.warehouse)
    with pytest.raises(NoVerdict, match=r"raw.shop__orders has no verdict on batch 9.9: run its gate"):
        accept(RAW, "9.9", "dana", "guess", shop.warehouse)


def test_the_newest_verdict_is_accepted_in_one_word(shop, clerk):
    shop.land("1.0", MANY)
    clerk.answer = False
    judge(suite_on(RAW), shop.warehouse)
    assert "accepted by dana" in accept_newest(RAW, by="dana", reason="known")
    assert accept_newest(RAW, by="dana", reason="known") == f"{RAW}: batch 1.0..1.0 has passed already."
    assert [row[:4] for row in newest_verdicts()] == [
        (RAW, "1.0..1.0", True, "ExpectColumnValuesToNotBeNull id: 7 of 9")
    ]
    with pytest.raises(NoVerdict, match=r"audiences.fans has no verdict"):
        accept_newest(AUDIENCE, by="dana", reason="guess")


def test_a_stage_is_refused_with_the_table_the_reason_and_the_remedy(shop, clerk, monkeypatch):
    shop.land("1.0", MANY)
    clerk.answer = False
    monkeypatch.setattr("dagster_cdp.gates.judging.all_suites", lambda _: [suite_on(RAW)])
    judge(suite_on(RAW), shop.warehouse)
    with pytest.raises(GateHeld, match=r"raw.shop__orders: batch 1.0..1.0 failed .*cdp gate accept raw.shop__orders"):
        refuse_held("raw")
    accept_newest(RAW, by="dana", reason="known")
    refuse_held("raw")


def test_the_verdicts_have_the_columns_that_others_read(shop, clerk):
    judge(suite_on(RAW), shop.warehouse)
    columns = shop.warehouse.execute(
        "select column_name from information_schema.columns where table_schema = 'ops'"
        " and table_name = 'gate_results' order by ordinal_position"
    )
    assert [name for (name,) in columns] == [
        "gate_id", "suite", "table_name", "batch_id", "suite_hash", "is_passed", "failed_expectations",
        "row_count", "checked_at",
    ]  # fmt: skip


def test_an_unchanged_run_does_not_import_great_expectations(shop, clerk):
    """Importing it costs more than all the rest of an unchanged run."""
    program = "import sys, dagster_cdp.gates; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    assert judge(suite_on(RAW), shop.warehouse).reused
    assert len(clerk.shown) == 1
