"""A table of yours in PostgreSQL or DuckDB, kept equal to the audience; what it looks like is in target_table.py.

Its database is `postgresql://user:password@host/database` or `duckdb:////absolute/path.duckdb` in SQL_TABLE_URL, or
in the variable that the option names. Each batch is one transaction. PostgreSQL needs the extra `postgres`, and a
role that may create the table, or write one that is there and has a unique key over the sync's key.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from reverse_etl.columns import columns_of
from reverse_etl.destination import (
    Change,
    DestinationRefused,
    NoAnswer,
    NotSent,
    Receipt,
    Request,
    Response,
    Scalar,
    Spec,
    Transport,
)
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.target_table import LOST, REMOVED, SYNCED, Failed, Link
from reverse_etl.warehouse import IDENTIFIER

OK, MOST_ON_A_PAGE = 200, 50_000


class Destination:
    """Options, with their defaults; members are found by the sync's key.

    `table`: schema.table (audiences.<audience>); its types are those of the sync's fields. `removal`: delete, or flag,
    which empties the row but for its key and sets _removed_at (delete). `url_variable`: the environment variable that
    holds the database's address (SQL_TABLE_URL).
    """

    spec = Spec(batch_rows=10_000, batch_bytes=50_000_000)

    def __init__(self, sync: Sync) -> None:
        self._sync = sync.name
        self._variable = str(sync.options.get("url_variable", "SQL_TABLE_URL"))
        self._columns = columns_of(sync, reserved=(SYNCED, REMOVED))
        schema, _, table = str(sync.options.get("table", f"audiences.{sync.audience}")).partition(".")
        removal = sync.options.get("removal", "delete")
        if not (IDENTIFIER.fullmatch(schema) and IDENTIFIER.fullmatch(table)):
            raise BadDeclaration(
                f"{sync.name}: options.table must be schema.table, in lower-case letters, digits and _"
            )
        if removal not in {"delete", "flag"}:
            raise BadDeclaration(f"{sync.name}: options.removal must be delete or flag")
        self._name, self._flags = (schema, table), removal == "flag"

    def request(self, rows: Sequence[Change]) -> Request:
        fit, _ = self._columns.fitting(rows)
        body = {
            "removals": [values for row, values in fit if row.operation == "remove"],
            "rows": [values for row, values in fit if row.operation != "remove"],
        }
        return Request(".".join(self._name), json.dumps(body).encode(), method="UPSERT")

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        return self._columns.receipts(rows) if response.status == OK else []

    def read_back(self) -> Request:
        return self._page(None)

    def held(self, response: Response) -> Iterator[Mapping[str, Scalar]]:
        for key in response.json():
            yield dict(zip(self._columns.keys, key, strict=True))

    def more(self, _: Request, response: Response) -> Request | None:
        keys = response.json()
        return self._page(keys[-1]) if len(keys) == MOST_ON_A_PAGE else None

    def known_as(self, identifiers: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        return self._columns.key_texts(identifiers)

    def _page(self, after: list[str] | None) -> Request:
        return Request(".".join(self._name), json.dumps(after).encode(), method="READ")

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        address = os.environ.get(self._variable)
        if not address:
            raise DestinationRefused(f"{self._sync}: set {self._variable} to postgresql://… or duckdb:///…")
        with closing(Link(address, self._name, self._columns, flags=self._flags)) as link:
            try:
                link.open()
            except Failed as failed:
                raise DestinationRefused(f"{self._sync}: {'.'.join(self._name)}: {failed}") from failed
            yield lambda request: _read(link, request) if request.method == "READ" else _written(link, request)


def _read(link: Link, request: Request) -> Response:
    """Read a page of keys: those after the one in the request."""
    try:
        return Response(OK, json.dumps(link.keys(json.loads(request.body), MOST_ON_A_PAGE)).encode())
    except Failed as failed:
        raise NoAnswer(str(failed)) from failed


def _written(link: Link, request: Request) -> Response:
    """Write a batch, and say in statuses of HTTP how it went."""
    batch: dict[str, list[list[str | None]]] = json.loads(request.body)
    try:
        link.open()
    except Failed as failed:
        raise NotSent(str(failed)) from failed
    try:
        link.apply(batch["removals"], batch["rows"])
    except Failed as failed:
        if failed.status == LOST:
            raise NoAnswer(str(failed)) from failed
        return Response(failed.status)
    return Response(OK)
