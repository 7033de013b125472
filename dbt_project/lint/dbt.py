# ruff: noqa: INP001 - sqlfluff reads the modules of a folder, not of a package
"""What sqlfluff's templater answers for dbt's type macros; only linting reads this folder."""


def type_string() -> str:
    return "text"


def type_timestamp() -> str:
    return "timestamp"


def type_bigint() -> str:
    return "bigint"


def type_numeric() -> str:
    return "numeric(28, 6)"


def type_int() -> str:
    return "integer"


def type_boolean() -> str:
    return "boolean"


def dateadd(datepart: str, interval: int, from_date_or_timestamp: str) -> str:  # noqa: ARG001 - dbt's signature
    return f"dateadd({from_date_or_timestamp})"


def date_trunc(datepart: str, date: str) -> str:  # noqa: ARG001 - dbt's signature
    return f"date_trunc({date})"
