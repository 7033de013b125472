"""A small town with an audience, consents and verdicts, and a remote place that does what the dice say."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field

from reverse_etl.destination import (
    NoAnswer,
    NotSent,
    Outcome,
    Receipt,
    Request,
    Response,
    Spec,
)
from reverse_etl.run import run_sync
from reverse_etl.sync import Sync

VIP = Sync(
    audience="vip",
    destination="remote",
    purpose="marketing",
    channel="email",
    fields={"profile_id": "external_id", "email": "email", "first_name": "first_name", "amount": "amount"},
)


def email_of(name):
    return f"{name}@example.com"


@dataclass
class Town:
    """The tables activation reads, in a warehouse of the test."""

    warehouse: object

    def __post_init__(self):
        for schema in ("audiences", "profiles", "ops"):
            self.warehouse.execute(f"create schema {schema}")
        self.warehouse.execute(
            "create table audiences.vip (profile_id text, email text, first_name text, amount decimal(18,2))"
        )
        self.warehouse.execute(
            "create table profiles.consents "
            "(profile_id text, purpose text, channel text, status text, is_granted boolean)"
        )
        self.warehouse.execute("create table profiles.profiles (profile_id text, confidence text)")
        self.warehouse.execute(
            "create table ops.gate_results (gate_id text, suite text, table_name text, batch_id text, "
            "suite_hash text, is_passed boolean, failed_expectations text, row_count bigint, checked_at timestamp)"
        )

    def audience(self, people, *, consenting=True):
        """People by profile: a dict of columns, or just names; all of them consent unless told otherwise."""
        if not isinstance(people, dict):
            people = {name: {} for name in people}
        rows = [
            (name, row.get("email", email_of(name)), row.get("first_name", name.title()), row.get("amount", 1))
            for name, row in people.items()
        ]
        self.warehouse.execute("delete from audiences.vip")
        for row in rows:
            self.warehouse.execute(
                "insert into audiences.vip (profile_id, email, first_name, amount) values (?, ?, ?, ?)", row
            )
        if consenting:
            for name in people:
                self.consent(name)

    def sure(self, **confidences):
        """How sure identity is of each profile."""
        self.warehouse.execute("delete from profiles.profiles")
        for name, confidence in confidences.items():
            self.warehouse.execute("insert into profiles.profiles values (?, ?)", [name, confidence])

    def consent(self, name, is_granted=True, *, purpose="marketing", channel="email"):
        """The standing choice of one person; None forgets that there ever was one."""
        self.warehouse.execute(
            "delete from profiles.consents where profile_id = ? and purpose = ? and channel = ?",
            [name, purpose, channel],
        )
        if is_granted is not None:
            self.warehouse.execute(
                "insert into profiles.consents values (?, ?, ?, ?, ?)",
                [name, purpose, channel, "granted" if is_granted else "denied", is_granted],
            )

    def verdict(self, is_passed, at="2026-01-01 00:00:00", suite="audiences.vip"):
        self.warehouse.execute(
            "insert into ops.gate_results values (?, ?, 'audiences.vip', 'b', 'h', ?, '[]', 1, cast(? as timestamp))",
            [f"{at}{suite}", suite, is_passed, at],
        )

    def journal(self, columns="*"):
        return self.warehouse.execute(f"select {columns} from activation.journal order by member_id")


@dataclass
class Remote:
    """A destination in memory; each request meets the next mood, then the destination is well.

    Moods: well, busy (429), down (not reached), lost (nothing applied, no answer), applied (applied, no
    answer), broken (500, applied), mute (applied, an answer that names nobody), strict (400 to all rows because
    of one), or a number to answer with.
    People called Poison are rejected.
    """

    moods: list = field(default_factory=list)
    batch_rows: int = 100
    honours_operation_ids: bool = True
    is_set: bool = True
    attempts: int = 1
    members: dict = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    effects: list = field(default_factory=list)  # (operation, e-mail address) that changed something
    requests: list = field(default_factory=list)
    on_request: object = None

    @property
    def spec(self):
        return Spec(
            batch_rows=self.batch_rows,
            identifiers=("email",),
            required=("email",),
            honours_operation_ids=self.honours_operation_ids,
            is_set=self.is_set,
            attempts=self.attempts,
        )

    def request(self, rows):
        body = [[r.operation_id, r.operation, dict(r.identifiers), dict(r.fields)] for r in rows]
        return Request("/", json.dumps(body).encode())

    def outcomes(self, rows, response):
        said = response.json()
        return [Receipt(r, Outcome(said[r.operation_id]), "told") for r in rows if r.operation_id in said]

    @contextmanager
    def connect(self):
        yield self.send

    def send(self, request):
        rows = json.loads(request.body)
        self.requests.append(rows)
        if self.on_request:
            self.on_request()
        mood = self.moods.pop(0) if self.moods else "well"
        if isinstance(mood, int):
            return Response(mood)
        if mood == "strict" and any(fields.get("first_name") == "Poison" for *_, fields in rows):
            return Response(400)
        if mood == "busy":
            return Response(429)
        if mood == "down":
            raise NotSent
        if mood == "lost":
            raise NoAnswer
        answer = {operation_id: self.apply(operation_id, *rest) for operation_id, *rest in rows}
        if mood == "applied":
            raise NoAnswer
        if mood == "broken":
            return Response(500)
        return Response(200, json.dumps({} if mood == "mute" else answer).encode())

    def apply(self, operation_id, operation, identifiers, fields):
        if self.honours_operation_ids and operation_id in self.results:
            return self.results[operation_id]
        outcome, email = "delivered", identifiers["email"]
        if fields.get("first_name") == "Poison":
            outcome = "rejected"
        elif operation == "remove":
            if self.members.pop(email, None) is not None:
                self.effects.append(("remove", email))
        else:
            self.members[email] = fields
            self.effects.append(("put", email))
        self.results[operation_id] = outcome
        return outcome

    @property
    def names(self):
        return {email.split("@")[0] for email in self.members}


@dataclass
class Open(Remote):
    """A remote place that tells who its members are, two a page."""

    lists: bool = True
    pages: int = 0

    def read_back(self):
        return Request("/members?from=0", b"", method="GET")

    def held(self, response):
        return [{"email": email} for email in response.json()["members"]]

    def more(self, _, response):
        following = response.json()["next"]
        return Request(f"/members?from={following}", b"", method="GET") if following else None

    def send(self, request):
        if not request.path.startswith("/members"):
            return super().send(request)
        self.pages += 1
        if not self.lists:
            return Response(500)
        first, everybody = int(request.path.split("=")[1]), sorted(self.members)
        page = {"members": everybody[first : first + 2], "next": first + 2 if first + 2 < len(everybody) else 0}
        return Response(200, json.dumps(page).encode())


def sync_now(warehouse, remote, sync=VIP, **options):
    """One run without waiting and, unless told otherwise, without a gate."""
    return run_sync(warehouse, sync, destination=remote, **{"gate": "ignored", "sleep": lambda _: None, **options})
