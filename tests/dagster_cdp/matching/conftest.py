"""Invented records of invented people, with the slips that clerks make."""

from __future__ import annotations

import random

import duckdb
import pytest

FIRST = ("ada", "ben", "carla", "david", "elena", "frank", "greta", "henry", "ines", "jonas", "karla", "louis", "marta")
LAST = ("adler", "brook", "carter", "dawson", "ellis", "foster", "grant", "hayes", "irving", "jensen", "keller")
CITIES = ("northfield", "southport", "eastham", "westbury")
COLUMNS = (
    "record_key", "first_name", "canonical_first_name", "last_name", "birth_on", "address_line", "postal_code", "city",
    "email", "phone",
)  # fmt: skip


def slip(word: str | None, dice: random.Random) -> str | None:
    """Sometimes a letter is lost, swapped for another, or the whole value."""
    if word is None or dice.random() < 0.8:
        return word
    place = dice.randrange(len(word))
    return dice.choice([word[:place] + word[place + 1 :], word[:place] + "x" + word[place + 1 :], None])


def record(person: int, copy: int) -> tuple[str | None, ...]:
    who, dice = random.Random(person), random.Random(f"{person}-{copy}")
    first, last = who.choice(FIRST), who.choice(LAST)
    told = (
        first, last, f"19{who.randrange(40, 99)}-0{who.randrange(1, 9)}-1{who.randrange(9)}",
        f"{who.randrange(1, 400)} oak street", f"{who.randrange(10000, 10060)}", who.choice(CITIES),
        f"{first}.{last}{person}@example.com", f"+1202555{who.randrange(100, 200):04}",
    )  # fmt: skip
    first_told, last_told, born, *rest = told if copy == 0 else (*(slip(one, dice) for one in told),)
    born = born if born and len(born) == 10 and "x" not in born else None
    return (f"r-{person:04}-{copy}", first_told, first_told, last_told, born, *rest)


@pytest.fixture(scope="session")
def people() -> duckdb.DuckDBPyConnection:
    """A connection whose table `records` has two records of each of 600 people."""
    connection = duckdb.connect()
    kinds = ", ".join(f"{name} {'date' if name == 'birth_on' else 'text'}" for name in COLUMNS)
    connection.execute(f"create table records ({kinds})")
    rows = [record(person, copy) for person in range(600) for copy in (0, 1)]
    connection.executemany(f"insert into records values ({', '.join('?' for _ in COLUMNS)})", rows)
    return connection
