"""A proposed identifier_rules.csv is refused before anything is built from it."""

import pytest

from dagster_cdp.home import ROOT
from dagster_cdp.identity.proposed_rules import BadRules, check_rules

CURRENT = ROOT / "dbt_project" / "seeds" / "identifier_rules.csv"


@pytest.fixture
def proposed(tmp_path):
    """The rules as they are, with one text replaced by another."""

    def write(old="", new=""):
        text = CURRENT.read_text()
        assert old in text
        file = tmp_path / "rules.csv"
        file.write_text(text.replace(old, new, 1))
        return file

    return write


def test_the_rules_as_they_are_may_be_used(proposed):
    check_rules(proposed(), CURRENT)


def test_a_type_may_come_and_go(proposed):
    columns = CURRENT.read_text().splitlines()[0].count(",")
    check_rules(
        proposed("user_id,0,exact", "browser_id,15,loose,90" + "," * (columns - 3) + "\nuser_id,0,exact"), CURRENT
    )
    lines = CURRENT.read_text().splitlines(keepends=True)
    check_rules(proposed(lines[-1]), CURRENT)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("identifier_type,", "kind,", "the first line must be identifier_type,"),
        ("phone,6,strict", "phone,6,firm", "strength of phone must be one of exact, strict, loose"),
        ("phone,6,strict", "phone,4,strict", "type_code 4 is given twice"),
        ("phone,6,strict", "email,6,strict", "identifier_type email is given twice"),
        ("phone,6,strict", "phone,14,strict", "type_code of phone can't change"),
        ("phone,6,strict", "fax,6,strict", "type_code of fax can't change"),
        ("phone,6,strict", "phone,16,strict", "number from 0 to 15"),
        ("phone,6,strict", "phone,,strict", "number from 0 to 15"),
        ("user_id,0,exact,1,1", "user_id,0,exact,1,0", "max_per_profile must be a whole number above 0"),
        ("user_id,0,exact,1,1", "user_id,0,exact,1,few", "max_per_profile must be a whole number above 0"),
        ("user_id,0,exact,1,1", "user_id,0,exact,,1", "no priority"),
        ("user_id,0,exact,1,1", "user_id,0,exact,2,1", "priority 2 is given twice"),
        ("user_id,0,exact,1,1,", "user_id,0,exact,1,1,,", "not as many values as columns"),
    ],
)
def test_a_mistake_is_named_in_one_line(proposed, old, new, told):
    with pytest.raises(BadRules, match=told) as refused:
        check_rules(proposed(old, new), CURRENT)
    assert "\n" not in str(refused.value)


def test_an_empty_missing_or_binary_file_is_refused(tmp_path):
    header = CURRENT.read_text().splitlines()[0] + "\n"
    for name, content in (("empty", b""), ("header", header.encode()), ("binary", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
    for name in ("empty", "header", "binary", "missing"):
        with pytest.raises(BadRules):
            check_rules(tmp_path / name, CURRENT)
