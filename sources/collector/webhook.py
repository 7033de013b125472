"""Webhooks in: a signed delivery becomes rows of a connector's table, or events.

A file of `webhooks/` is a kind of sender: `key` makes a key of a secret, `verify` checks the signature and says which
delivery it is, `contents` what is in it. The settings give it a name, secrets and, for a generic kind, the tables
it may write.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

import orjson

from sources.collector import quarantine, webhooks
from sources.collector.deduplication import Memory, fingerprint, seed_of
from sources.collector.events import encode
from sources.collector.facts import Facts
from sources.collector.intake import Refused
from sources.collector.refusal import Refusal
from sources.collector.senders import Source, source_of
from sources.collector.settings import Hook, Limits, Sender, Settings
from sources.collector.sorting import Sorting
from sources.collector.taken import Taken
from sources.refusals import BadConfiguration, BadDeclaration
from sources.source import load_source

Fields = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """What came: headers in lower case, the very bytes, and when."""

    headers: dict[bytes, bytes]
    body: bytes
    received_at: str


@dataclass(frozen=True)
class Signed:
    """A delivery whose sender is known: all that is needed of it beside its body, also when it is judged again."""

    identity: str
    received_at: str
    topic: str = ""


@dataclass(frozen=True)
class Row:
    """One row of `<connector>.<table>`; only declared columns are taken from the fields."""

    table: str
    fields: Any


@dataclass(frozen=True)
class Event:
    """One call of Segment's specification."""

    fields: Fields


class UnknownContent(Exception):
    """A delivery that this kind knows nothing to do with; it is kept in quarantine."""


class Kind(Protocol):
    """What a module of `webhooks/` offers."""

    key: Callable[[str], bytes]  # of no bytes: that is no secret
    verify: Callable[[Delivery, tuple[bytes, ...]], Signed]
    contents: Callable[[Signed, Any, Hook], Iterable[Row | Event]]


class Receiver:
    """One configured sender of webhooks."""

    def __init__(self, hook: Hook, limits: Limits) -> None:
        self._hook = hook
        self._kind = load_kind(hook.kind)
        self._keys = keys_of(hook, self._kind)
        self._limits = limits
        self._seed = seed_of(f"webhook {hook.name}")
        self._origin = quarantine.Origin(hook.name)
        self.source: Source = source_of(
            Sender(write_key=f"webhook:{hook.name}", name=hook.name, kind="server", consent=hook.consent)
        )

    def take(self, delivery: Delivery, memory: Memory) -> Taken | Refused:
        """Return lines of a delivery whose signature is right; one that came before is nothing."""
        taken = Taken()
        signed = self._kind.verify(delivery, self._keys)
        mark = fingerprint(signed.identity.encode() or delivery.body, self._seed)
        if memory.has(mark):
            taken.count("duplicate")
            return taken
        taken.marks.append(mark)
        return self.judged(signed, delivery.body, memory, taken)

    def judged(self, signed: Signed, body: bytes, memory: Memory, taken: Taken) -> Taken | Refused:
        """Take what a delivery holds, or all of it as refused."""
        try:
            contents = list(self._kind.contents(signed, orjson.loads(body), self._hook))
        except orjson.JSONDecodeError:
            self._refuse(signed, body, "malformed_json", taken)
            return Refused("malformed_json", taken)
        except UnknownContent as unknown:
            self._refuse(signed, body, str(unknown), taken)
            return taken
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
            self._refuse(signed, body, "unexpected_shape", taken)
            return taken
        for row in (content for content in contents if isinstance(content, Row)):
            if fields := declared(row):
                taken.keep(row.table, self._line(fields, signed))
                taken.count("accepted")
            else:
                alone = body if len(contents) == 1 else encode({"type": row.table, "data": row.fields})
                self._refuse(signed, alone, "unexpected_shape", taken)
        return self._sorted((content for content in contents if isinstance(content, Event)), signed, memory, taken)

    def _sorted(self, events: Iterable[Event], signed: Signed, memory: Memory, taken: Taken) -> Taken:
        sorting = Sorting(self.source, Facts(signed.received_at, None), self._limits, memory)
        for event in events:
            sorting.take_raw(orjson.dumps(event.fields), None)
        done = sorting.done()
        for lane, lines in done.lanes.items():
            taken.lane(lane).extend(lines)
        taken.marks.extend(done.marks)
        for outcome, count in done.counts.items():
            taken.count(outcome, count)
        return taken

    def _line(self, fields: Fields, signed: Signed) -> bytes:
        return encode(
            {
                "receivedAt": signed.received_at,
                "webhook": self._hook.name,
                "deliveryId": signed.identity,
                "row": fields,
            }
        )

    def _refuse(self, signed: Signed, body: bytes, code: str, taken: Taken) -> None:
        reason = quarantine.Reason("webhook", (code,), signed.topic or None)
        line = quarantine.line(signed.received_at, self._origin, reason, body, message_id=signed.identity)
        taken.refuse(line, code)


class Hooks:
    """All configured senders of webhooks, by name."""

    def __init__(self, settings: Settings) -> None:
        self.receivers = {hook.name: Receiver(hook, settings.limits) for hook in settings.webhooks.values()}

    def find(self, name: str) -> Receiver:
        if name not in self.receivers:
            raise Refusal(404, "no_such_webhook")
        return self.receivers[name]


def keys_of(hook: Hook, kind: Kind) -> tuple[bytes, ...]:
    """Return the keys of its secrets; with an empty one, anybody could sign. Raises BadConfiguration."""
    keys = tuple(map(kind.key, hook.secrets))
    if keys and all(keys):
        return keys
    raise BadConfiguration(
        f"collector.yml, webhooks.{hook.name}: none of its `secrets` may be missing or cut short; "
        "copy them as the sender shows them (by Standard Webhooks: whsec_ and base64)"
    )


def declared(row: Row) -> Fields:
    """Return what its table has columns for; of what is no row, nothing."""
    columns = columns_of(row.table)
    return (
        {name: value for name, value in row.fields.items() if name in columns} if isinstance(row.fields, dict) else {}
    )


def load_kind(name: str) -> Kind:
    """Return the module `webhooks/<name>.py`. Raises BadConfiguration, saying which there are."""
    known = sorted(module.name for module in pkgutil.iter_modules(webhooks.__path__))
    if name not in known:
        raise BadConfiguration(f"no kind of webhook is called {name!r}: there are {', '.join(known)}")
    return cast("Kind", importlib.import_module(f"{webhooks.__name__}.{name}"))


@cache
def columns_of(table: str) -> frozenset[str]:
    """Return the columns of `<connector>.<table>`. Raises UnknownContent where there is no such table."""
    connector, _, name = table.partition(".")
    try:
        declared = load_source(connector).table(name)
    except BadDeclaration:
        raise UnknownContent("unknown_table") from None
    return frozenset(column.name for column in declared.columns)
