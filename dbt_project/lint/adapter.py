"""What sqlfluff's templater answers for `adapter.dispatch`: a call that looks like the macro's own."""

from collections.abc import Callable


def dispatch(name: str, _namespace: str = "") -> Callable[..., str]:
    if name == "cdp_type_money":
        return lambda: "decimal(18, 2)"
    return lambda *arguments: f"{name}({', '.join(str(argument) for argument in arguments)})"
