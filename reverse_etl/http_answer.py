"""What an HTTP API's answer means, as declared: by status, by a code in the body, by results of single rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reverse_etl.destination import Change, Outcome, Receipt, Response, Unreadable, Verdict, by_status

Word = str | int | float | bool
WHOLE = ""  # the pointer to the whole document
SUCCESS = range(200, 300)


def at(document: Any, pointer: str) -> Any:
    """Follow a JSON pointer (RFC 6901); LookupError when it leads nowhere."""
    found = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isascii() and name.isdigit():
            found = found[int(name)]
        elif isinstance(found, Mapping):
            found = found[name]
        else:
            raise LookupError(pointer)
    return found


def said(value: Any) -> str:
    """Compare words as they are written in YAML and JSON alike."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("at", "status", "code", "index", "by", check_fields=False)
    @classmethod
    def _is_a_pointer(cls, value: str | None) -> str | None:
        if value and value != "position" and not value.startswith("/"):
            raise ValueError("must be a JSON pointer such as /errors/0/code")
        return value


class Accepted(_Part):
    """What an answer must say for its rows to be taken: something at a pointer, one of some words, or a status."""

    at: str = WHOLE
    words: tuple[Word, ...] = Field(default=(), alias="is")
    statuses: tuple[int, ...] = ()

    @field_validator("words", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else [value]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.at and not self.statuses:
            raise ValueError("say `at`, with `is` or without, or `statuses`")
        return self

    def holds(self, response: Response) -> bool:
        if response.status in self.statuses:
            return True
        if not self.at:
            return False
        try:
            found = at(response.json(), self.at)
        except (ValueError, LookupError):
            return False
        return said(found) in map(said, self.words) if self.words else found is not None


class Rows(_Part):
    """Where results of single rows are, and what they mean."""

    at: str = WHOLE
    by: str  # pointer to what names the row, in a result; or `position`
    named: str = Field(default="{operation_id}", alias="is")  # what of the row it is equal to
    status: str | None = None  # pointer; without one every result has the outcome `every`
    every: Literal["rejected", "deferred", "delivered"] | None = None
    delivered: tuple[Word, ...] = ()
    rejected: tuple[Word, ...] = ()
    deferred: tuple[Word, ...] = ()
    code: str | None = None
    others: Literal["unknown", "delivered"] = "unknown"  # rows without a result

    @model_validator(mode="after")
    def _has_outcomes(self) -> Self:
        if (self.status is None) == (self.every is None):
            raise ValueError("say `status` with its words, or `every`")
        if self.status is not None and not self.delivered and self.others == "unknown":
            raise ValueError("no word means `delivered`")
        return self

    def outcome(self, result: Any) -> Outcome:
        if self.every:
            return Outcome(self.every)
        word = said(at(result, self.status or WHOLE))
        for outcome, words in zip(Outcome, (self.delivered, self.rejected, self.deferred), strict=False):
            if word in map(said, words):
                return outcome
        return Outcome.UNKNOWN

    def results(self, document: Any, names: Sequence[str]) -> list[Any]:
        """Give the result of each row, None where there is none."""
        found = at(document, self.at)
        if not isinstance(found, list):
            raise Unreadable("there is no list of results where one is declared")
        if self.by != "position":
            by_name = {said(at(result, self.by)): result for result in found}
            return [by_name.get(name) for name in names]
        if len(found) != len(names):
            raise Unreadable("there are not as many results as rows")
        return found


class Codes(_Part):
    """Words in the body that mean more than the status."""

    at: str
    answered: tuple[Word, ...] = ()
    refused: tuple[Word, ...] = ()
    busy: tuple[Word, ...] = ()
    broken: tuple[Word, ...] = ()
    auth: tuple[Word, ...] = ()
    config: tuple[Word, ...] = ()


class Blame(_Part):
    """Where the answer to a refused batch lists the places of the wrong rows, counted from 0."""

    at: str
    index: str = WHOLE


class Answer(_Part):
    """`statuses` and `codes` say what an answer means as a whole, `accepted` and `rows` what became of the rows."""

    statuses: dict[Verdict, tuple[int, ...]] = Field(default_factory=dict)
    codes: Codes | None = None
    accepted: Accepted | None = None
    rows: Rows | None = None
    blame: Blame | None = None

    def classify(self, response: Response) -> Verdict:
        """Read codes in the body first, then declared statuses, then HTTP's own meaning."""
        if self.codes:
            try:
                word = said(at(response.json(), self.codes.at))
            except (ValueError, LookupError):
                word = ""
            for verdict in Verdict:
                if word in map(said, getattr(self.codes, verdict)):
                    return verdict
        for verdict, statuses in self.statuses.items():
            if response.status in statuses:
                return verdict
        return by_status(response)

    def blamed(self, rows: Sequence[Change], response: Response) -> list[int]:
        """Say which rows a refusal of all blames; nothing when the answer doesn't."""
        if not self.blame:
            return []
        try:
            found = [int(at(one, self.blame.index)) for one in at(response.json(), self.blame.at)]
        except (ValueError, LookupError, TypeError):
            return []
        return sorted({place for place in found if 0 <= place < len(rows)})


def receipts(
    rows: Sequence[Change], names: Sequence[str], response: Response, accepted: Accepted | None, results: Rows | None
) -> list[Receipt]:
    """Say what became of each row; `names` are what results call them. An answer of another shape is Unreadable."""
    is_accepted = accepted.holds(response) if accepted else not response.body.strip() and response.status in SUCCESS
    if response.status not in SUCCESS and not is_accepted:
        return [Receipt(row, Outcome.DEFERRED, f"http_{response.status}") for row in rows]
    if results is None or (accepted and response.status in accepted.statuses):
        if not is_accepted:
            raise Unreadable("the answer does not say what an accepted request is declared to say")
        return [Receipt(row, Outcome.DELIVERED) for row in rows]
    if accepted and not is_accepted:
        raise Unreadable("the answer does not say what an accepted request is declared to say")
    try:
        each = results.results(response.json(), names)
    except LookupError:
        if not accepted:
            raise
        each = [None] * len(rows)
    return [_receipt(row, result, results) for row, result in zip(rows, each, strict=True)]


def _receipt(row: Change, result: Any, declared: Rows) -> Receipt:
    if result is None:
        return Receipt(row, Outcome(declared.others), "" if declared.others == "delivered" else "not_mentioned")
    outcome = declared.outcome(result)
    if outcome is Outcome.DELIVERED:
        return Receipt(row, outcome)
    pointer = declared.status if declared.code is None else declared.code
    try:
        code = "" if pointer is None else said(at(result, pointer))
    except LookupError:
        code = ""
    return Receipt(row, outcome, code[:64] or "unspecified")
