"""What sqlfluff's templater answers for dbt's type macros; only linting reads this folder."""


def type_string() -> str:
    return "text"


def type_timestamp() -> str:
    return "timestamp"


def type_bigint() -> str:
    return "bigint"


def type_int() -> str:
    return "integer"


def type_boolean() -> str:
    return "boolean"
