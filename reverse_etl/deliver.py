"""Send one batch until every row has a receipt: retries by class of error, splits to find a poison row."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reverse_etl.answer import Answer, coded, refused, retry_after, unsettled
from reverse_etl.destination import (
    Change,
    Destination,
    NoAnswer,
    NotSent,
    Outcome,
    Receipt,
    Request,
    Response,
    Transport,
    Verdict,
)

BASE_SECONDS = 0.5
LONGEST_SECONDS = 60.0
PATIENCE = 20  # times one request is told to come back later
POINTED = 20  # rounds of rows the destination names, before the rest is halved instead
ALONE = 8  # rows, spread over a batch, that are tried alone before a refusal is their fault
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)


def _at_once() -> float:
    return 0.0


@dataclass
class Delivery:
    """One run's conversation with a destination.

    `sleep` and `dice` are given so that tests need not wait; `deadline` is in seconds of `clock`.
    """

    destination: Destination
    transport: Transport
    deadline: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    dice: Callable[[], float] = random.random
    pace: Callable[[], float] = _at_once  # seconds until the account may be asked again
    attempts: int = 0  # of one request; 0: as many as the destination's spec says
    requests: int = field(default=0, init=False)
    refusal: str = field(default="", init=False)  # set: a person must act, nothing more is sent
    was_repeated: bool = field(default=False, init=False)  # a request was repeated that may have been applied
    _taken: set[str] = field(default_factory=set, init=False)  # shapes of requests that were taken
    _refused_alone: int = field(default=0, init=False)  # rows

    @property
    def is_over(self) -> bool:
        return bool(self.refusal) or self.clock() >= self.deadline

    def deliver(
        self, rows: Sequence[Change], *, is_uncertain: bool = False, stands: bool = False, pointed: int = 0
    ) -> list[Receipt]:
        """Exactly one receipt per row, in the order of the rows.

        `is_uncertain`: an earlier attempt may have been applied, so only an acceptance is certain.
        `stands`: an earlier attempt was taken in part, so that even who is rejected may be there.
        """
        if self.is_over:
            return unsettled(rows, self.refusal or "out_of_time", is_uncertain=is_uncertain or stands)
        request = self.destination.request(rows)
        if len(request.body) > self.destination.spec.batch_bytes:
            return self._split(rows, Answer(Verdict.REFUSED, "too_large", None, is_uncertain, stands))
        self.was_repeated = self.was_repeated or stands
        answer = self._answer(request, is_uncertain=is_uncertain)
        if answer.verdict is Verdict.ANSWERED:
            answer = self._follow(rows, answer)
        answer = replace(answer, stands=answer.stands or stands)
        if answer.verdict is Verdict.REFUSED:
            return self._blame(rows, answer, pointed)
        if answer.verdict is Verdict.ANSWERED and answer.response is not None:
            self._taken.add(self.destination.spec.shape(rows[0]))
            return self._receipts(rows, answer, answer.response)
        if answer.verdict in {Verdict.AUTH, Verdict.CONFIG}:
            self.refusal = f"{answer.verdict}_{answer.code}"
        return unsettled(rows, answer.code, is_uncertain=answer.is_uncertain or answer.stands)

    def _follow(self, rows: Sequence[Change], answer: Answer) -> Answer:
        """Ask on until the destination has no more questions: a job to wait for, a second step.

        What the first request did stands, so whatever fails from here on leaves the rows unknown; a refusal is the
        destination's word, and leaves them rejected and removable.
        """
        follow, response = getattr(self.destination, "follow", None), answer.response
        while follow and response:
            try:
                step = follow(rows, response)
            except UNREADABLE:
                return Answer(Verdict.BROKEN, "unreadable_answer", is_uncertain=True)
            if step is None:
                break
            if self.clock() + step.wait_seconds >= self.deadline:
                return Answer(Verdict.BROKEN, "still_running", is_uncertain=True)
            if step.wait_seconds:
                self.sleep(step.wait_seconds)
            reply = self._answer(step.request, is_uncertain=False)
            if reply.verdict is Verdict.REFUSED:
                return replace(reply, response=None, stands=True)
            if reply.verdict is not Verdict.ANSWERED or reply.response is None:
                return replace(reply, response=None, is_uncertain=True)
            response = replace(reply.response, earlier=(*response.earlier, replace(response, earlier=())))
        return replace(answer, response=response)

    def _blame(self, rows: Sequence[Change], answer: Answer, pointed: int) -> list[Receipt]:
        """Keep back the rows that the refusal names and send the rest again; halve when it names none."""
        places = self._places(rows, answer.response) if pointed < POINTED else set()
        if not places:
            return self._search(rows, answer)
        blamed = {place: refused(rows[place], answer) for place in places}
        return self._with_others(rows, blamed, answer, pointed + 1)

    def _search(self, rows: Sequence[Change], answer: Answer) -> list[Receipt]:
        """Find the rows to blame. When none is taken, not even alone, it is the request that is wrong, and no row."""
        if len(rows) == 1 or self.destination.spec.shape(rows[0]) in self._taken:
            return self._split(rows, answer)
        found: dict[int, Receipt] = {}
        for place in dict.fromkeys(step * (len(rows) - 1) // (ALONE - 1) for step in range(ALONE)):
            before = self._refused_alone
            [found[place]] = self.deliver(
                [rows[place]], is_uncertain=answer.is_uncertain, stands=answer.stands, pointed=POINTED
            )
            if self._refused_alone == before:
                return self._with_others(rows, found, answer, POINTED)
        self.refusal = f"request_{answer.code}"
        return unsettled(rows, self.refusal, is_uncertain=answer.is_uncertain or answer.stands)

    def _with_others(
        self, rows: Sequence[Change], found: Mapping[int, Receipt], answer: Answer, pointed: int
    ) -> list[Receipt]:
        """Send again the rows about which nothing was found."""
        others = [row for place, row in enumerate(rows) if place not in found]
        again = iter(
            self.deliver(others, is_uncertain=answer.is_uncertain, stands=answer.stands, pointed=pointed)
            if others
            else ()
        )
        return [found[place] if place in found else next(again) for place in range(len(rows))]

    def _places(self, rows: Sequence[Change], response: Response | None) -> set[int]:
        pointer = getattr(self.destination, "pointer", None)
        if pointer is None or response is None:
            return set()
        try:
            return {int(place) for place in pointer(rows, response) if 0 <= int(place) < len(rows)}
        except UNREADABLE:
            return set()

    def _split(self, rows: Sequence[Change], answer: Answer) -> list[Receipt]:
        """Halve until the row to blame stands alone."""
        if len(rows) == 1:
            self._refused_alone += 1
            return [refused(rows[0], answer)]
        middle = len(rows) // 2
        return [
            receipt
            for half in (rows[:middle], rows[middle:])
            for receipt in self.deliver(half, is_uncertain=answer.is_uncertain, stands=answer.stands, pointed=POINTED)
        ]

    def _answer(self, request: Request, *, is_uncertain: bool) -> Answer:
        """Ask until an answer is final, or attempts or time have run out."""
        attempts = told_to_wait = 0
        while True:
            self.was_repeated = self.was_repeated or is_uncertain
            answer = self._attempt(request, is_uncertain=is_uncertain)
            if answer.verdict not in {Verdict.BUSY, Verdict.BROKEN} or answer.code == "out_of_time":
                return answer
            is_uncertain = answer.is_uncertain
            told = retry_after(answer.response)
            if told is None:
                attempts += 1
            else:
                told_to_wait += 1  # being told when to come back is not a failure
            if attempts >= (self.attempts or self.destination.spec.attempts) or told_to_wait >= PATIENCE:
                return answer
            wait = self._backoff(attempts) if told is None else told
            if self.clock() + wait >= self.deadline:
                return answer
            self.sleep(wait)

    def _attempt(self, request: Request, *, is_uncertain: bool) -> Answer:
        wait = self.pace()
        if self.clock() + wait >= self.deadline:
            return Answer(Verdict.BUSY, "out_of_time", is_uncertain=is_uncertain)
        if wait:
            self.sleep(wait)
        self.requests += 1
        try:
            response = self.transport(request)
        except NotSent:
            return Answer(Verdict.BUSY, "not_reached", is_uncertain=is_uncertain)
        except NoAnswer:
            return Answer(Verdict.BROKEN, "no_answer", is_uncertain=True)
        verdict = self.destination.spec.classify(response)
        broken = verdict is Verdict.BROKEN
        return Answer(verdict, self._reason(response), response, is_uncertain=is_uncertain or broken)

    def _reason(self, response: Response) -> str:
        reason = getattr(self.destination, "reason", None)
        if reason is not None:
            try:
                return coded(str(reason(response)))
            except UNREADABLE:
                pass
        return f"http_{response.status}"

    def _backoff(self, attempt: int) -> float:
        """Full jitter: anywhere between nothing and the doubled wait, so that clients spread out."""
        return float(self.dice() * min(LONGEST_SECONDS, BASE_SECONDS * 2**attempt))

    def _receipts(self, rows: Sequence[Change], answer: Answer, response: Response) -> list[Receipt]:
        """Take the destination's word on each row; silence is not acceptance."""
        try:
            said = {r.change.operation_id: r for r in self.destination.outcomes(rows, response)}
        except UNREADABLE:
            return unsettled(rows, "unreadable_answer", is_uncertain=True)
        receipts = []
        for row in rows:
            receipt = said.get(row.operation_id) or Receipt(row, Outcome.UNKNOWN, "not_mentioned")
            was_taken = receipt.outcome is Outcome.DELIVERED
            outcome = receipt.outcome if was_taken or not answer.is_uncertain else Outcome.UNKNOWN
            if answer.stands and outcome is Outcome.DEFERRED:
                outcome = Outcome.UNKNOWN
            is_part = receipt.is_part or (answer.stands and outcome is Outcome.REJECTED)
            receipts.append(Receipt(row, outcome, "" if was_taken else coded(receipt.code), is_part))
        return receipts
