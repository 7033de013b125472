"""Any HTTP API, declared in YAML: `destinations/<name>.yml`, or in the options of a sync to `http`.

destinations/README.md tells what can be declared; there is no code in it, only JSON with placeholders, JSON pointers
and names of environment variables. Requests go to public addresses, or those that CDP_PRIVATE_NETWORKS allows.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from reverse_etl import http
from reverse_etl.destination import (
    Change,
    DestinationRefused,
    Receipt,
    Request,
    Response,
    Transport,
)
from reverse_etl.http_answer import Rows, receipts, said
from reverse_etl.http_auth import signer
from reverse_etl.http_declaration import Declaration, Operation, fitting, read
from reverse_etl.http_place import checked_url
from reverse_etl.http_reading import known_as
from reverse_etl.sync import Sync
from reverse_etl.template import encoded, render, render_path

CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "lines": "application/x-ndjson"}


class Destination:
    """Without a declaration the sync's options are one. `<NAME>_URL` in the environment moves it elsewhere."""

    def __init__(self, sync: Sync, declaration: Declaration | None = None) -> None:
        options = sync.options if declaration else {}
        self._declared = declared = declaration or read(sync.options, f"{sync.name}: options")
        fitting(declared, sync, options)
        self.account = sync.destination if declaration else declared.url
        self._variable = f"{sync.destination}_url".upper() if declaration else ""
        self._sync, self._scope = sync, {"sync": sync.name, "audience": sync.audience, "options": options}
        self.spec = declared.spec()
        self.place = options or {"url": declared.url}
        if declared.members:
            self.held, self.more, self.known_as = declared.members.read, declared.members.more, known_as
            self.read_back = partial(declared.members.asked, self._scope)
        elif declared.size:
            self.size, self.tells = declared.size.read, declared.size.tells
            self.read_back = partial(declared.size.asked, self._scope)

    def request(self, rows: Sequence[Change]) -> Request:
        operation = self._operation(rows)
        scopes = [self._row(row) for row in rows]
        batch_id = hashlib.sha256("".join(row.operation_id for row in rows).encode()).hexdigest()
        scope = {**scopes[0], "batch_id": batch_id}
        headers = {**self._declared.headers, **{k: said(render(v, scope)) for k, v in operation.headers.items()}}
        if operation.encode in CONTENT_TYPES:
            headers["content-type"] = CONTENT_TYPES[operation.encode]
        if self._declared.idempotency:
            headers[self._declared.idempotency.header] = batch_id
        body = encoded(operation.encode, render(operation.body, scope, scopes))
        return Request(render_path(operation.path, scope), body, operation.method, headers)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        operation, answer = self._operation(rows), self._declared.answer
        results: Rows | None = operation.rows or answer.rows
        names = [said(render(results.named, self._row(row))) if results else "" for row in rows]
        return receipts(rows, names, response, operation.accepted or answer.accepted, results)

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        return self._declared.answer.blamed(rows, response)

    def connect(self) -> AbstractContextManager[Transport]:
        try:
            url = checked_url(os.environ.get(self._variable) or self._declared.url)
        except ValueError as error:
            raise DestinationRefused(f"{self._sync.name}: {self._variable} {error}") from error
        return http.connect(
            url,
            sign=signer(self._declared.auth, self._sync.name),
            timeout_seconds=self._declared.limits.timeout_seconds,
            only_public=True,
        )

    def _operation(self, rows: Sequence[Change]) -> Operation:
        return self._declared.operations.of(rows[0].operation)

    def _row(self, row: Change) -> dict[str, Any]:
        """What placeholders stand for."""
        return {
            **self._scope,
            "operation_id": row.operation_id,
            "operation": row.operation,
            "member_id": row.member_id,
            "key": next(iter(row.identifiers.values()), None),
            "identifiers": dict(row.identifiers),
            "fields": dict(row.fields),
        }
