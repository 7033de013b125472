"""The bundled sandbox: a loopback server started on demand, members found by e-mail address."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

from reverse_etl import http
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Scalar, Spec, Transport
from reverse_etl.exchange import asking
from reverse_etl.kept_open import once
from reverse_etl.sandbox.server import API_KEY, MOST_BYTES, MOST_ROWS
from reverse_etl.sandbox.sharing import shared
from reverse_etl.sync import Sync

MEANING = {"applied": Outcome.DELIVERED, "noop": Outcome.DELIVERED, "rejected": Outcome.REJECTED}


class Destination:
    """Options: `audience`, the name there (default: the sync's audience); `timeout_seconds` (default 30)."""

    spec = Spec(
        batch_rows=MOST_ROWS,
        batch_bytes=MOST_BYTES,
        identifiers=("email",),
        required=("email",),
        honours_operation_ids=True,
    )

    def __init__(self, sync: Sync) -> None:
        # A list may be named by a product, and what a shop calls its products is anything.
        self._audience = quote(str(sync.options.get("audience", sync.audience)), safe="")
        self._timeout_seconds = float(sync.options.get("timeout_seconds", 30))

    def request(self, rows: Sequence[Change]) -> Request:
        body = [
            {
                "operation_id": row.operation_id,
                "operation": "remove" if row.operation == "remove" else "put",
                "key": row.identifiers["email"],
                "fields": dict(row.fields),
            }
            for row in rows
        ]
        headers = {"authorization": f"Bearer {API_KEY}"}
        return Request(f"/v1/audiences/{self._audience}/members", json.dumps({"rows": body}).encode(), headers=headers)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = {result["operation_id"]: result for result in response.json()["results"]}
        return [
            Receipt(row, MEANING[result["status"]], result["code"])
            for row in rows
            if (result := said.get(row.operation_id))
        ]

    def read_back(self) -> Request:
        return self._page(0)

    def held(self, response: Response) -> Iterator[Mapping[str, Scalar]]:
        yield from ({"email": key} for key in response.json()["members"])

    def more(self, _: Request, response: Response) -> Request | None:
        following = response.json()["next"]
        return self._page(following) if following else None

    def known_as(self, identifiers: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """The sandbox writes addresses in lower case."""
        return {"email": str(identifiers["email"]).lower()}

    def _page(self, start: int) -> Request:
        path = f"/v1/audiences/{self._audience}/members"
        return replace(asking(path, {"from": start}), headers={"authorization": f"Bearer {API_KEY}"})

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        with (
            once("sandbox", shared) as server,
            http.connect(server.address, timeout_seconds=self._timeout_seconds) as transport,
        ):
            yield transport
