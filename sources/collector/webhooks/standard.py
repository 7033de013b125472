"""Any sender that signs by Standard Webhooks: `type` is `<connector>.<table>`, `data` a row or a list of rows."""

from collections.abc import Iterable
from typing import Any

from sources.collector.settings import Hook
from sources.collector.signatures import check_standard, standard_key
from sources.collector.webhook import Delivery, Row, Signed, UnknownContent, columns_of

key = standard_key


def verify(delivery: Delivery, keys: tuple[bytes, ...]) -> Signed:
    return Signed(check_standard(delivery.headers, delivery.body, keys), delivery.received_at)


def contents(_signed: Signed, payload: dict[str, Any], hook: Hook) -> Iterable[Row]:
    """Yield the rows, if this sender may write the table."""
    table = str(payload["type"])
    if table not in hook.tables:
        raise UnknownContent("table_not_allowed")
    columns_of(table)
    data = payload["data"]
    for row in data if isinstance(data, list) else [data]:
        yield Row(table, row)
