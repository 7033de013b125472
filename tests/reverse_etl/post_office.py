"""A place that takes messages and does what the dice say; our process may die while it is asked."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field

from reverse_etl.destination import NoAnswer, NotSent, Outcome, Receipt, Request, Response, Spec


@dataclass
class PostOffice:
    """Moods of the next requests: well, busy (429), down, lost (nothing sent, no answer), applied (sent, no answer),
    broken (500, sent), refused (422), die (before it is sent), apply and die.
    """

    knows_ids: bool = True
    batch_rows: int = 1
    identifiers: tuple = ("email",)
    remembers_seconds: float = 23 * 3_600
    moods: list = field(default_factory=list)
    sent: list = field(default_factory=list)  # (message, address, fields), each time a message really leaves
    known: set = field(default_factory=set)
    requests: int = 0
    on_sending: object = None
    ours: object = None  # the process that may die

    @property
    def spec(self):
        return Spec(
            batch_rows=self.batch_rows,
            identifiers=self.identifiers,
            honours_operation_ids=self.knows_ids,
            is_set=False,
            repeats_unknown=self.knows_ids,
            attempts=1,
        )

    def request(self, rows):
        body = [[r.operation_id, r.operation, dict(r.identifiers), dict(r.fields)] for r in rows]
        return Request("/", json.dumps(body).encode())

    def outcomes(self, rows, _response):
        return [Receipt(row, Outcome.DELIVERED) for row in rows]

    @contextmanager
    def connect(self):
        yield self.send

    def send(self, request):
        self.requests += 1
        mood = self.moods.pop(0) if self.moods else "well"
        if mood == "die":
            self.ours.die()
        if mood == "busy":
            return Response(429)
        if mood == "refused":
            return Response(422)
        if mood == "down":
            raise NotSent
        if mood == "lost":
            raise NoAnswer
        for message_id, operation, identifiers, fields in json.loads(request.body):
            self.deliver(message_id, operation, identifiers, fields)
        if mood == "apply and die":
            self.ours.die()
        if mood == "applied":
            raise NoAnswer
        return Response(500 if mood == "broken" else 200, b"{}")

    def deliver(self, message_id, operation, identifiers, fields):
        if self.knows_ids and message_id in self.known:
            return
        self.known.add(message_id)
        self.sent.append((message_id, operation, identifiers, fields))
        if self.on_sending:
            self.on_sending(message_id, operation, identifiers, fields)
