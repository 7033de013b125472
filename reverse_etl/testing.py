"""The conformance suite: what every destination must do, as one call in a test of three lines.

def test_it_conforms():
    destination = Destination(sync)
    check(destination, holds=lambda change: change.identifiers["email"] in server.members)
"""

import json
from collections.abc import Callable, Mapping, Sequence

from reverse_etl.deliver import Delivery
from reverse_etl.destination import (
    Change,
    Destination,
    Operation,
    Outcome,
    Receipt,
    Response,
    Scalar,
    Transport,
    Verdict,
    identifying,
)
from reverse_etl.environment import now
from reverse_etl.identity import member_of
from reverse_etl.read_back import Reader, Tells, known_as, tells

Holds = Callable[[Change], bool]
NONSENSE = (b"<html>Gateway</html>", b"[]", b'{"unexpected": true}', b'{"results": [{}]}')


def sample(
    destination: Destination,
    operation: Operation = "add",
    people: Sequence[int] = (1, 2, 3),
    **fields: Scalar,
) -> list[Change]:
    """Make changes of made-up people, with the identifiers and required fields the destination asks for."""
    spec = destination.spec
    changes = []
    for person in people:
        given = {name: _value(name, person) for name in identifying(spec) or ("profile_id",)}
        found_by = _found_by(destination, given)
        shown = {} if spec.hash_only else given
        filled = {**shown, **{name: _value(name, person) for name in spec.required}, **fields}
        changes.append(
            Change(
                operation_id=f"{operation}-{person}-{len(fields)}",
                operation=operation,
                member_id=f"{person:032x}",
                identifiers=found_by,
                fields={} if operation == "remove" else filled,
            )
        )
    return changes


def _found_by(destination: Destination, given: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """Make the identifiers the engine would deliver."""
    if own := getattr(destination, "identify", None):
        return dict(own(given).identifiers)
    if not destination.spec.platform:
        return given
    from reverse_etl.normalise import identify  # noqa: PLC0415 - phone plans take 0.1 s to load

    return dict(identify(destination.spec.platform, given).identifiers)


def _value(name: str, person: int) -> str:
    if name.endswith(("_at", "_time")):
        return now().isoformat()
    if "email" in name:
        return f"person{person}@example.com"
    return f"+1202555{person:04d}" if "phone" in name else f"{name}-{person}"


def check(
    destination: Destination,
    *,
    holds: Holds,
    poison: Mapping[str, Scalar] | None = None,
    over_http: bool = True,
    takes_back: bool = True,
) -> None:
    """Run every check against an empty destination; an AssertionError names what failed.

    `holds` says whether the member of a change is at the destination now. `poison` are identifiers or fields
    the destination refuses. `over_http`: its answers come from a network, and may be anything. `takes_back`: what was
    delivered can be removed; not so with events and messages.
    """
    _has_sane_limits(destination)
    _asks_the_same_twice(destination)
    if over_http:
        _believes_no_nonsense(destination)
        _reads_the_usual_statuses(destination)
    with destination.connect() as transport:
        _delivers_once_per_change(destination, transport, holds)
        _takes_a_change_twice(destination, transport, holds)
        _tells_who_is_there(destination, transport, there=(1, 2, 3), gone=(98,))
        if poison:
            _finds_the_poison(destination, transport, holds, poison)
        if takes_back:
            _removes_by_identifiers_alone(destination, transport, holds)
            _tells_who_is_there(destination, transport, there=(3,), gone=(1, 2))
            _removes_the_unknown(destination, transport, holds)


def _must(condition: object, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)  # not `assert`: this must also hold under python -O


def _deliver(destination: Destination, transport: Transport, changes: Sequence[Change]) -> list[Receipt]:
    delivery = Delivery(destination, transport, deadline=float("inf"), sleep=lambda _: None)
    at_once = destination.spec.batch_rows
    batches = (changes[start : start + at_once] for start in range(0, len(changes), at_once))
    receipts = [receipt for batch in batches for receipt in delivery.deliver(batch)]
    _must([r.change for r in receipts] == list(changes), "one receipt per change, in their order")
    personal = {str(value) for change in changes for value in change.identifiers.values()}
    for receipt in receipts:
        _must(not any(value in receipt.code for value in personal), "a code quotes a personal value")
    return receipts


def _all_delivered(receipts: Sequence[Receipt], sentence: str) -> None:
    _must({r.outcome for r in receipts} == {Outcome.DELIVERED}, sentence)


def _has_sane_limits(destination: Destination) -> None:
    spec = destination.spec
    _must(spec.batch_rows > 0, "a batch has room for one row")
    one_row = len(destination.request(sample(destination)[:1]).body)
    _must(spec.batch_bytes > one_row, "one row fits into a batch")
    _must(spec.attempts > 0, "a request is tried at least once")


def _asks_the_same_twice(destination: Destination) -> None:
    changes = sample(destination)[: destination.spec.batch_rows]
    first, second = destination.request(changes), destination.request(changes)
    _must(first == second, "request() is pure: the same rows give the same request")
    open_part = first.path + json.dumps(dict(first.headers))
    for change in changes:
        for value in change.identifiers.values():
            _must(str(value) not in open_part, "path and headers end up in logs: no personal value there")


def _believes_no_nonsense(destination: Destination) -> None:
    changes = sample(destination)[: destination.spec.batch_rows]
    for body in NONSENSE:
        try:
            receipts = destination.outcomes(changes, Response(200, body))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        believed = any(r.outcome is Outcome.DELIVERED for r in receipts)
        _must(not believed, f"an answer of {body!r} is not a yes")


def _reads_the_usual_statuses(destination: Destination) -> None:
    classify = destination.spec.classify
    _must(classify(Response(429)) is Verdict.BUSY, "429 means later")
    _must(classify(Response(401)) is Verdict.AUTH, "401 means that a person must act")
    _must(classify(Response(500)) is Verdict.BROKEN, "500 may have been applied")


def _delivers_once_per_change(destination: Destination, transport: Transport, holds: Holds) -> None:
    changes = sample(destination)
    _all_delivered(_deliver(destination, transport, changes), "additions are delivered")
    _must(all(map(holds, changes)), "who was added is there")


def _takes_a_change_twice(destination: Destination, transport: Transport, holds: Holds) -> None:
    changes = sample(destination)
    _all_delivered(_deliver(destination, transport, changes), "a change that comes again is delivered")
    _must(all(map(holds, changes)), "a change that comes again changes nothing")


def _tells_who_is_there(
    destination: Destination, transport: Transport, there: Sequence[int], gone: Sequence[int]
) -> None:
    """Whatever a destination tells by `read_back` or `look_up` is true: see read_back.py."""
    kind, reader = tells(destination), Reader(destination, transport, sleep=lambda _: None)
    present, absent = ([c.identifiers for c in sample(destination, people=people)] for people in (there, gone))
    if kind in {Tells.SIZE, Tells.MATCHED}:
        size = reader.size()
        _must(size is None or size >= 0, "a size is a number, or not known yet")
        return
    if kind is Tells.NOTHING:
        return
    told = reader.members() if kind is Tells.MEMBERS else reader.present([*present, *absent])
    members = set(map(member_of, told))
    named = [[member_of(known_as(destination, one)) in members for one in people] for people in (present, absent)]
    _must(all(named[0]), "who is there is named when who is there is read back")
    _must(not any(named[1]), "who is not there is not named")


def _finds_the_poison(
    destination: Destination, transport: Transport, holds: Holds, poison: Mapping[str, Scalar]
) -> None:
    good = sample(destination, people=(4, 5, 6))
    bad = sample(destination, people=(7,))[0]
    spoilt = Change(
        bad.operation_id,
        bad.operation,
        bad.member_id,
        {name: poison.get(name, value) for name, value in bad.identifiers.items()},
        {**bad.fields, **poison},
    )
    receipts = _deliver(destination, transport, [good[0], spoilt, *good[1:]])
    outcomes = [r.outcome for r in receipts]
    _must(outcomes[1] is Outcome.REJECTED, "the poison row is rejected")
    _must(receipts[1].code, "a rejection has a reason")
    _must(set(outcomes[:1] + outcomes[2:]) == {Outcome.DELIVERED}, "one bad row does not spoil the others")
    _must(all(map(holds, good)), "the others are there")


def _removes_by_identifiers_alone(destination: Destination, transport: Transport, holds: Holds) -> None:
    leaving = sample(destination, "remove", (1, 2))
    _all_delivered(_deliver(destination, transport, leaving), "removals are delivered")
    _must(not any(map(holds, leaving)), "who was removed is gone")
    _must(all(map(holds, sample(destination, people=(3,)))), "who was not removed is there")


def _removes_the_unknown(destination: Destination, transport: Transport, holds: Holds) -> None:
    stranger = sample(destination, "remove", (99,))
    _all_delivered(_deliver(destination, transport, stranger), "to remove the unknown is done, not wrong")
    _must(not any(map(holds, stranger)), "the unknown is still unknown")
