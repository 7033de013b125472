"""Names of incoming columns in snake case, kept clear of the names loading itself uses."""

from collections.abc import Iterable
from hashlib import md5

from dlt.common.normalizers.naming.snake_case import NamingConvention

PLUMBING = ("_row_id", "_source_file", "_row_number", "_landed_at", "_variants", "_row_hash")
RESERVED = frozenset({*PLUMBING, "_dlt_load_id", "_dlt_id"})
LONGEST = 56  # PostgreSQL cuts names at 63 bytes; `__v_text` takes 8

NAMING = NamingConvention(max_length=LONGEST)


def snake_case(name: str) -> str:
    """`messageId` -> `message_id`, by the rules dlt applies to every name, so that it never renames ours.

    Letters outside ASCII are lost on the way, so such a name ends in a piece of its hash.
    """
    # dlt would keep the digits of other scripts, and loses a dot as it loses their letters
    named = "".join("·" if sign.isdecimal() and not sign.isascii() else sign for sign in name.strip() or "unnamed")
    snake: str = NAMING.normalize_identifier(named)
    if name.isascii():
        return snake
    return str(NAMING.normalize_identifier(f"{snake}_{md5(name.encode(), usedforsecurity=False).hexdigest()[:6]}"))


def variant_of(column: str) -> str:
    """Where the text goes that a typed column couldn't take."""
    return f"{column}__v_text"


def e164_of(column: str) -> str:
    return f"{column}_e164"


def incoming_names(names: Iterable[str], taken: frozenset[str]) -> dict[str, list[str]]:
    """Snake-case name -> the names as they arrived, in their order.

    Two spellings of one name share a column: the first that holds a value counts. A name that
    loading uses itself (`taken`, or plumbing) is kept as `source_<name>`.
    """
    spellings: dict[str, list[str]] = {}
    for name in names:
        snake = snake_case(name)
        if snake in taken or snake in RESERVED:
            snake = snake_case(f"source_{snake}")
        spellings.setdefault(snake, []).append(name)
    return spellings


def quoted(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Write a value as an SQL string."""
    return "'" + value.replace("'", "''") + "'"
