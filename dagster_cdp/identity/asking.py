"""What `cdp who` asks the warehouse, in one short visit."""

from datetime import datetime

from dagster_cdp.identity.apart import Apart, why_apart
from dagster_cdp.identity.explain import Explanation, explain
from dagster_cdp.identity.finding import find
from dagster_cdp.warehouse import connect

__all__ = ["Apart", "Explanation", "ask"]


def ask(
    asked: str, other: str | None = None, identifier_type: str | None = None, at: datetime | None = None
) -> Explanation | Apart:
    """Explain a person, the chain between two identifiers, or why they are two people.

    The type is that of the first identifier, and of the second where it has the value too.
    """
    with connect("who is who") as warehouse:
        one = find(warehouse, asked, identifier_type)
        if other is None:
            return explain(warehouse, one, at=at)
        two = find(warehouse, other)
        if one.profile_id != two.profile_id or one.profile_id is None:
            return why_apart(warehouse, one, two)
        return explain(warehouse, one, to=two if two.node_id is not None else None, at=at)
