"""How the reference sets are compared: with the project's comparisons of text, trained as the project trains."""

from __future__ import annotations

from dagster_cdp.matching.macros import project_macros
from dagster_cdp.matching.model import Block, Comparison, Level, MatchModel

MACROS = project_macros()
RARELY_SHARED = 60
OFTEN_SHARED = 400


def near(column: str, most: int, other: str | None = None) -> str:
    return f"{MACROS.cdp_levenshtein(f'{column}_l', f'{other or column}_r')} <= {most}"


def same(*columns: str) -> str:
    return " and ".join(f"{column}_l = {column}_r" for column in columns)


def compared(column: str, **levels: str) -> Comparison:
    """A comparison of one column; the keywords are labels, best level first."""
    return Comparison(
        column, f"{column}_l is null or {column}_r is null",
        tuple(Level(label.replace("_", " "), condition) for label, condition in levels.items()),
    )  # fmt: skip


def blocks(most: int, keys: list[tuple[str, ...]]) -> tuple[Block, ...]:
    return tuple(Block(" and ".join(columns).replace("'", ""), " || '|' || ".join(columns), most) for columns in keys)


def names(first: str, last: str, rare: str | None = None) -> Comparison:
    """Both names at once: which of them agrees is more than the sum of two answers.

    `rare` is a condition under which the last name is a rare one: then sharing it is worth more.
    """
    unknown = f"({first}_l is null and {last}_l is null) or ({first}_r is null and {last}_r is null)"
    levels = (
        Level("same", same(first, last)),
        Level("swapped", f"{first}_l = {last}_r and {last}_l = {first}_r"),
        Level("last name same, first name near", f"{same(last)} and {near(first, 2)}"),
        Level("first name same, last name near", f"{same(first)} and {near(last, 2)}"),
        Level("last name same, first name not told", f"{same(last)} and ({first}_l is null or {first}_r is null)"),
        Level("first name same, last name not told", f"{same(first)} and ({last}_l is null or {last}_r is null)"),
        Level("both near", f"{near(first, 2)} and {near(last, 2)}"),
        Level("last name same", same(last)),
        Level("last name near", near(last, 1)),
        Level("first name same", same(first)),
        Level("one near the other", f"{near(first, 2, last)} or {near(last, 2, first)}"),
    )
    return Comparison("names", unknown, tuple(graded for level in levels for graded in by_rarity(level, rare)))


def by_rarity(level: Level, rare: str | None) -> list[Level]:
    """A level at which the last name is shared, in two where it matters how rare the name is."""
    if rare and level.condition.startswith(("surname_l = surname_r", "first_name_l = first_name_r and surname_l = ")):
        return [Level(f"{level.label}, rare", f"{level.condition} and {rare}"), level]
    return [level]


def febrl(*, with_number: bool) -> MatchModel:
    """FEBRL 3: 2,000 invented people in 5,000 records; `with_number` also compares the social security number."""
    comparisons = [
        names("given_name", "surname"),
        compared(
            "date_of_birth", same=same("date_of_birth"), one=near("date_of_birth", 1), two=near("date_of_birth", 2)
        ),
        compared("street_number", same=same("street_number"), near=near("street_number", 1)),
        compared("address_1", same=same("address_1"), near=near("address_1", 2), far=near("address_1", 5)),
        compared("address_2", same=same("address_2"), near=near("address_2", 2), far=near("address_2", 5)),
        compared("suburb", same=same("suburb"), near=near("suburb", 2)),
        compared("postcode", same=same("postcode"), near=near("postcode", 2)),
        compared("state", same=same("state")),
    ]
    if with_number:
        comparisons.append(compared("soc_sec_id", same=same("soc_sec_id"), near=near("soc_sec_id", 2)))
    keys = [
        ("date_of_birth",), ("address_1",), ("address_2", "postcode"), ("suburb", "surname"),
        ("suburb", "street_number"),
        ("given_name", "surname"), ("postcode", "surname"), ("postcode", "given_name"), ("postcode", "street_number"),
        ("substr(date_of_birth, 1, 4)", "surname"), ("substr(date_of_birth, 5, 4)", "given_name"),
    ]  # fmt: skip
    if with_number:
        keys.append(("soc_sec_id",))
    return MatchModel(
        name="febrl", table="records", only="true", key="rec_id", comparisons=tuple(comparisons),
        blocks=blocks(RARELY_SHARED, keys),
        sure=("l.given_name = r.given_name and l.surname = r.surname and l.date_of_birth = r.date_of_birth",
              "l.surname = r.surname and l.address_1 = r.address_1 and l.street_number = r.street_number",
              "l.date_of_birth = r.date_of_birth and l.suburb = r.suburb"),
        sure_recall=0.9, sessions=(("date_of_birth",), ("surname", "given_name"), ("address_1", "suburb")),
    )  # fmt: skip


def historical() -> MatchModel:
    """Splink's 50,000 records of 5,000 historical figures, with errors."""
    outward = "split_part(postcode_fake_{side}, ' ', 1)"
    comparisons = (
        names("first_name", "surname", rare="last_name_count_l <= 25"),
        compared(
            "dob", same=f"{same('dob')} and dob_l not like '%-01-01'", same_but_maybe_only_the_year=same("dob"),
            one=near("dob", 1), two=near("dob", 2),
            same_year="substr(dob_l, 1, 4) = substr(dob_r, 1, 4)",
        ),
        compared(
            "postcode_fake", same=same("postcode_fake"), near=near("postcode_fake", 1),
            same_district=f"{outward.format(side='l')} = {outward.format(side='r')}",
            same_area="substr(postcode_fake_l, 1, 2) = substr(postcode_fake_r, 1, 2)",
        ),
        compared(
            "birth_place", same=same("birth_place"), near=near("birth_place", 2),
            part="birth_place_l like '%' || birth_place_r || '%' or birth_place_r like '%' || birth_place_l || '%'",
        ),
        compared("occupation", same=same("occupation")),
    )  # fmt: skip
    keys = [
        ("substr(first_name, 1, 3)", "substr(surname, 1, 4)"), ("surname", "dob"), ("first_name", "dob"),
        ("postcode_fake", "first_name"), ("postcode_fake", "surname"), ("postcode_fake", "dob"), ("dob", "birth_place"),
        ("substr(postcode_fake, 1, 3)", "dob"), ("substr(postcode_fake, 1, 3)", "first_name"),
        ("substr(postcode_fake, 1, 3)", "surname"),
        ("substr(first_name, 1, 2)", "substr(surname, 1, 2)", "substr(dob, 1, 4)"),
    ]  # fmt: skip
    return MatchModel(
        name="historical", table="records", only="true", key="unique_id", comparisons=comparisons,
        blocks=blocks(OFTEN_SHARED, keys),
        sure=("l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob",
              "l.first_name = r.first_name and l.surname = r.surname and l.postcode_fake = r.postcode_fake",
              "l.dob = r.dob and l.postcode_fake = r.postcode_fake"),
        sure_recall=0.6, sessions=(("first_name", "surname"), ("dob",)),
    )  # fmt: skip
