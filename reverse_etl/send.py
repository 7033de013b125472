"""Send the batches of a plan: intend, deliver, record, each while the lease is ours."""

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reverse_etl.account import Account, account_of
from reverse_etl.batch import Planned, entering, leaving, ranges
from reverse_etl.changed import encoded
from reverse_etl.deliver import Delivery
from reverse_etl.destination import Destination, Outcome
from reverse_etl.environment import now
from reverse_etl.guard import sent_today
from reverse_etl.identity import Identity, member_of
from reverse_etl.journal import Entry, intend, record
from reverse_etl.lease import Lease
from reverse_etl.parts import note
from reverse_etl.plan import ONE_WAY
from reverse_etl.warehouse import Warehouse

Answer = tuple[Planned, str, str, bool]  # the change, its outcome, why, and whether a rejected one stands in part

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # made once: `json.dumps` makes one each time
COLLECT_AFTER = 8  # batches
GIVE_UP_AFTER = 3  # batches in a row without any answer: the destination is down


@dataclass
class Sending:
    """What one run sends, and what it has counted so far."""

    warehouse: Warehouse
    identity: Identity
    destination: Destination
    lease: Lease
    run_id: str
    sleep: Callable[[float], None]
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    has_resent: bool = False
    delivery: Delivery | None = None
    unwritten: list[Answer] = field(default_factory=list)

    @property
    def refusal(self) -> str:
        return self.delivery.refusal if self.delivery else ""

    @property
    def requests(self) -> int:
        return self.delivery.requests if self.delivery else 0

    @property
    def was_repeated(self) -> bool:
        return self.has_resent or bool(self.delivery and self.delivery.was_repeated)

    def all(self, deadline: float) -> None:
        """Send the whole plan, or as much as the destination takes."""
        account = account_of(self.warehouse, self.identity.sync, self.destination)
        with self.destination.connect() as transport:
            self.delivery = Delivery(
                self.destination, transport, deadline, self.patiently,
                pace=account.wait_seconds, attempts=1 if account.is_probing else 0,
            )  # fmt: skip
            try:
                with _rare_collection():
                    self._all(self.delivery, account)
            finally:
                self._write()

    def _all(self, delivery: Delivery, account: Account) -> None:
        spec, unanswered = self.destination.spec, account.failures
        room = None if spec.daily_rows is None else spec.daily_rows - sent_today(self.warehouse, self.identity.sync)
        found = ranges(self.warehouse, self.run_id, spec.batch_rows)
        for count, (first, planned_last, is_leaving) in enumerate(found, 1):
            if count % COLLECT_AFTER == 0:
                gc.collect()  # requests that were sent hang in circles of the client
            last = planned_last if room is None else max(first - 1, min(planned_last, first + room - 1))
            self.reasons += Counter(daily_quota=planned_last - last)
            if last < first:
                continue
            read = leaving if is_leaving else entering
            batch = read(self.warehouse, self.identity, self.run_id, first=first, last=last)
            is_answered = self._batch(delivery, batch)
            room = None if room is None else room - len(batch)
            unanswered = 0 if is_answered else unanswered + (not delivery.refusal)  # a refusal is an answer
            delivery.attempts = 0 if is_answered else delivery.attempts
            account.remember(unanswered, delivery.refusal)
            if delivery.is_over or unanswered >= GIVE_UP_AFTER:
                return

    def _batch(self, delivery: Delivery, batch: list[Planned]) -> bool:
        """Whether anything in it was settled."""
        kept_back = [planned for planned in batch if planned.outcome]
        # What is kept back never leaves, so its intent and its outcome are one transaction.
        if kept_back:
            self.unwritten += [(p, p.outcome, p.code, False) for p in kept_back]
            self._write(kept_back)
        shapes: dict[str, list[Planned]] = {}
        for planned in batch:
            if not planned.outcome:
                shapes.setdefault(self.destination.spec.shape(planned.change), []).append(planned)
        if not shapes:
            return True
        self._write([planned for alike in shapes.values() for planned in alike])
        settled = [self._deliver(delivery, alike) for alike in shapes.values()]
        return any(settled)

    def _deliver(self, delivery: Delivery, alike: list[Planned]) -> bool:
        self.has_resent = self.has_resent or any(planned.is_resend for planned in alike)
        receipts = delivery.deliver([planned.change for planned in alike])
        self.unwritten += [(p, str(r.outcome), r.code, r.is_part) for p, r in zip(alike, receipts, strict=True)]
        if not (self.destination.spec.is_set or self.destination.spec.honours_operation_ids):
            self._write()  # else a kill before the next batch's intents only sends this one again
        return any(r.outcome in {Outcome.DELIVERED, Outcome.REJECTED} for r in receipts)

    def _write(self, intents: Iterable[Planned] = ()) -> None:
        """Journal intents, and the answers so far, in one transaction, and only while the lease is ours."""
        intended, answered = [p for p in intents if p.outcome in {"", Outcome.REJECTED}], self.unwritten
        if not intended and not answered:
            return
        asks = self.destination.spec.names_changes
        given: list[tuple[int, str, str | None]] = [
            (p.position, _ENCODE(dict(p.change.identifiers)), encoded(p.change) if asks else None) for p in intended
        ]
        members = [p.change.member_id for p in intended] + [p.change.member_id for p, *_ in answered]
        entry = Entry(
            self.identity.sync.name,
            self.run_id,
            is_one_way=self.identity.sync.mode in ONE_WAY,
            has_removals=any(planned.change.operation == "remove" for planned, *_ in answered),
            has_known=any(planned.is_known for planned in intended),
            within=(min(members), max(members)),
        )
        with self.warehouse.transaction():
            self.lease.renew(self.warehouse)
            if given:
                intend(self.warehouse, entry, given, now())
            if answered:
                rows = [(p.position, outcome, code, is_part) for p, outcome, code, is_part in answered]
                record(self.warehouse, entry, rows, now(), self._left_over(answered))
        self.unwritten = []
        for planned, outcome, code, _ in answered:
            word = "scrap" if planned.outcome == Outcome.REJECTED else outcome
            self.outcomes[planned.change.operation, word] += 1
            if outcome != Outcome.DELIVERED:
                self.reasons[code] += 1

    def _left_over(self, answered: list[Answer]) -> list[tuple[int, str, str]]:
        """What removals that were done left to others, noted as members of their own."""
        found = [(p, member_of(p.kept)) for p, outcome, *_ in answered if p.kept and outcome == Outcome.DELIVERED]
        if found and self.identity.ways is not None:
            made_of = {member: planned.kept for planned, member in found}
            note(self.warehouse, self.identity.sync.name, made_of.items(), self.identity.ways)
        return [(planned.position, member, _ENCODE(dict(planned.kept))) for planned, member in found]

    def patiently(self, seconds: float) -> None:
        """Wait, holding the lease meanwhile."""
        while seconds > 0:
            self.lease.renew(self.warehouse)
            self.sleep(min(seconds, 30))
            seconds -= 30


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for circles less often: rows are many and in none, and looking for them takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
