"""What came back to one request, and what that says about rows when it says nothing of each."""

import email.utils
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from reverse_etl.destination import Change, Outcome, Receipt, Response, Verdict

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and whether this or an earlier attempt may have been applied.

    `stands`: an earlier step was taken, though this one was refused.
    """

    verdict: Verdict
    code: str
    response: Response | None = None
    is_uncertain: bool = False
    stands: bool = False


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


def refused(row: Change, answer: Answer) -> Receipt:
    if answer.is_uncertain:
        return Receipt(row, Outcome.UNKNOWN, answer.code)
    return Receipt(row, Outcome.REJECTED, answer.code, is_part=answer.stands)


def unsettled(rows: Sequence[Change], code: str, *, is_uncertain: bool) -> list[Receipt]:
    outcome = Outcome.UNKNOWN if is_uncertain else Outcome.DEFERRED
    return [Receipt(row, outcome, code) for row in rows]
