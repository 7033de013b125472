# ruff: noqa: INP001 - sqlfluff reads the modules of a folder, not of a package
"""What sqlfluff's templater answers for `adapter.dispatch`: a call of the macro's first argument."""

from collections.abc import Callable


def dispatch(name: str, _namespace: str = "") -> Callable[..., str]:
    if name == "cdp_type_money":
        return lambda: "decimal(18, 2)"
    if name == "cdp_materialized":
        return lambda: ""
    if name == "cdp_parsed":
        return lambda relation, _fields: str(relation)
    return lambda *arguments: f"{name}({', '.join(map(str, arguments[:1]))})"
