"""Send one batch until every row has a receipt: retries by class of error, splits to find a poison row."""

import email.utils
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
PATIENCE = 20  # times one request is told to come back later
POINTED = 20  # rounds of rows the destination names, before the rest is halved instead
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)


def _at_once() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back, and whether this or an earlier attempt may have been applied."""

    verdict: Verdict
    code: str
    response: Response | None = None
    is_uncertain: bool = False


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

    @property
    def is_over(self) -> bool:
        return bool(self.refusal) or self.clock() >= self.deadline

    def deliver(self, rows: Sequence[Change], *, is_uncertain: bool = False, pointed: int = 0) -> list[Receipt]:
        """Exactly one receipt per row, in the order of the rows.

        `is_uncertain`: an earlier attempt may have been applied, so only an acceptance is certain.
        """
        if self.is_over:
            return _unsettled(rows, self.refusal or "out_of_time", is_uncertain=is_uncertain)
        request = self.destination.request(rows)
        if len(request.body) > self.destination.spec.batch_bytes:
            return self._split(rows, "too_large", is_uncertain=is_uncertain)
        answer = self._answer(request, is_uncertain=is_uncertain)
        if answer.verdict is Verdict.ANSWERED:
            answer = self._follow(rows, answer)
        if answer.verdict is Verdict.REFUSED:
            return self._blame(rows, answer, pointed)
        if answer.verdict is Verdict.ANSWERED and answer.response is not None:
            return self._receipts(rows, answer.response, is_uncertain=answer.is_uncertain)
        if answer.verdict in {Verdict.AUTH, Verdict.CONFIG}:
            self.refusal = f"{answer.verdict}_{answer.code}"
        return _unsettled(rows, answer.code, is_uncertain=answer.is_uncertain)

    def _follow(self, rows: Sequence[Change], answer: _Answer) -> _Answer:
        """Ask on until the destination has no more questions: a job to wait for, a second step.

        What the first request did stands, so whatever fails from here on leaves the rows unknown.
        """
        follow, response = getattr(self.destination, "follow", None), answer.response
        while follow and response:
            try:
                step = follow(rows, response)
            except UNREADABLE:
                return _Answer(Verdict.BROKEN, "unreadable_answer", is_uncertain=True)
            if step is None:
                break
            if self.clock() + step.wait_seconds >= self.deadline:
                return _Answer(Verdict.BROKEN, "still_running", is_uncertain=True)
            if step.wait_seconds:
                self.sleep(step.wait_seconds)
            reply = self._answer(step.request, is_uncertain=False)
            if reply.verdict is not Verdict.ANSWERED or reply.response is None:
                return replace(reply, response=None, is_uncertain=True)
            response = replace(reply.response, earlier=(*response.earlier, replace(response, earlier=())))
        return replace(answer, response=response)

    def _blame(self, rows: Sequence[Change], answer: _Answer, pointed: int) -> list[Receipt]:
        """Keep back the rows that the refusal names and send the rest again; halve when it names none."""
        places = self._places(rows, answer.response) if pointed < POINTED else set()
        if not places:
            return self._split(rows, answer.code, is_uncertain=answer.is_uncertain)
        outcome = Outcome.UNKNOWN if answer.is_uncertain else Outcome.REJECTED
        others = [row for place, row in enumerate(rows) if place not in places]
        again = iter(self.deliver(others, is_uncertain=answer.is_uncertain, pointed=pointed + 1) if others else ())
        return [
            Receipt(row, outcome, answer.code) if place in places else next(again) for place, row in enumerate(rows)
        ]

    def _places(self, rows: Sequence[Change], response: Response | None) -> set[int]:
        pointer = getattr(self.destination, "pointer", None)
        if pointer is None or response is None:
            return set()
        try:
            return {int(place) for place in pointer(rows, response) if 0 <= int(place) < len(rows)}
        except UNREADABLE:
            return set()

    def _split(self, rows: Sequence[Change], code: str, *, is_uncertain: bool) -> list[Receipt]:
        """Halve until the row to blame stands alone."""
        if len(rows) == 1:
            outcome = Outcome.UNKNOWN if is_uncertain else Outcome.REJECTED
            return [Receipt(rows[0], outcome, code)]
        middle = len(rows) // 2
        return [
            *self.deliver(rows[:middle], is_uncertain=is_uncertain, pointed=POINTED),
            *self.deliver(rows[middle:], is_uncertain=is_uncertain, pointed=POINTED),
        ]

    def _answer(self, request: Request, *, is_uncertain: bool) -> _Answer:
        """Ask until an answer is final, or attempts or time have run out."""
        attempts = told_to_wait = 0
        while True:
            self.was_repeated = self.was_repeated or is_uncertain
            answer = self._attempt(request, is_uncertain=is_uncertain)
            if answer.verdict not in {Verdict.BUSY, Verdict.BROKEN}:
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

    def _attempt(self, request: Request, *, is_uncertain: bool) -> _Answer:
        wait = self.pace()
        if self.clock() + wait >= self.deadline:
            return _Answer(Verdict.BUSY, "out_of_time", is_uncertain=is_uncertain)
        if wait:
            self.sleep(wait)
        self.requests += 1
        try:
            response = self.transport(request)
        except NotSent:
            return _Answer(Verdict.BUSY, "not_reached", is_uncertain=is_uncertain)
        except NoAnswer:
            return _Answer(Verdict.BROKEN, "no_answer", is_uncertain=True)
        verdict = self.destination.spec.classify(response)
        broken = verdict is Verdict.BROKEN
        return _Answer(verdict, f"http_{response.status}", response, is_uncertain=is_uncertain or broken)

    def _backoff(self, attempt: int) -> float:
        """Full jitter: anywhere between nothing and the doubled wait, so that clients spread out."""
        return float(self.dice() * min(LONGEST_SECONDS, BASE_SECONDS * 2**attempt))

    def _receipts(self, rows: Sequence[Change], response: Response, *, is_uncertain: bool) -> list[Receipt]:
        """Take the destination's word on each row; silence is not acceptance."""
        try:
            said = {r.change.operation_id: r for r in self.destination.outcomes(rows, response)}
        except UNREADABLE:
            return _unsettled(rows, "unreadable_answer", is_uncertain=True)
        receipts = []
        for row in rows:
            receipt = said.get(row.operation_id) or Receipt(row, Outcome.UNKNOWN, "not_mentioned")
            was_taken = receipt.outcome is Outcome.DELIVERED
            outcome = receipt.outcome if was_taken or not is_uncertain else Outcome.UNKNOWN
            receipts.append(Receipt(row, outcome, "" if was_taken else coded(receipt.code)))
        return receipts


def retry_after(response: Response | None) -> float | None:
    """Seconds the answer asks to wait, given in seconds or as a date; None when it doesn't say."""
    said = response.headers.get("retry-after") if response else None
    if not said:
        return None
    if said.strip().isdigit():
        return float(said)
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def coded(said: str) -> str:
    """Keep a reason code; a destination's prose may quote what was sent, and is dropped."""
    return said if CODE.fullmatch(said) else "unspecified"


def _unsettled(rows: Sequence[Change], code: str, *, is_uncertain: bool) -> list[Receipt]:
    outcome = Outcome.UNKNOWN if is_uncertain else Outcome.DEFERRED
    return [Receipt(row, outcome, code) for row in rows]
