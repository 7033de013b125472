"""A trigger is a file: what happens, how long to wait, what must still hold, and what is sent to whom."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from reverse_etl.environment import trial_wait
from reverse_etl.messages.message import Message, find_message
from reverse_etl.split import Split
from reverse_etl.sync import BadDeclaration, Channel, Name, Purpose, Sync
from reverse_etl.triggers.duration import Duration
from reverse_etl.triggers.parts import Cap, ListStep, QuietHours, Shape, Way, When
from reverse_etl.warehouse import IDENTIFIER

TRIGGERS = Path(__file__).parent
EVENT_REASONS = ("event_id", "cart_id", "order_id", "product_id")
EVER = "ever"  # the reason of what happens once in a person's life
ENTRY = "entry"  # the reason of an audience: its first, second … time
ADS: Channel = "ads"
ADDRESS = {"email": "email", "sms": "phone"}  # the column a channel writes to; others know people by profile_id


class Trigger(Shape):
    """One `triggers/<name>.yml`, validated."""

    name: Name
    description: str
    owner: str = Field(default="team:marketing", pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    enabled: bool = True
    when: When
    reason: Name | tuple[Name, ...] = ()  # columns that make it another reason; see _default_reason
    wait: Duration = timedelta(0)
    expires: Duration = timedelta(days=1)  # after it was due, it is too late to say it
    purpose: Purpose | tuple[Purpose, ...]
    unless_bought: Literal["anything", "product", "never"] = "anything"
    bought_within: Duration = timedelta(0)  # before it happened: counts as bought too
    min_confidence: Literal["exact", "strict", "loose"] = "loose"
    holdout: float = Field(default=0, ge=0, lt=1)
    priority: int = 100  # where a cap leaves room for one, the smallest number speaks
    cap: Cap = Cap(messages=1, days=1)
    quiet_hours: QuietHours | None = None
    send: dict[Channel, Way] = Field(default_factory=dict)  # in this order, unless the person prefers another
    list: ListStep | None = None  # instead of a message

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        return (self.purpose,) if isinstance(self.purpose, str) else self.purpose

    @property
    def reasons(self) -> tuple[str, ...]:
        """List the columns of the reason, or EVER or ENTRY."""
        given = (self.reason,) if isinstance(self.reason, str) else self.reason
        return given or (("event_id",) if self.when.event else (ENTRY,))

    @property
    def split(self) -> Split | None:
        return Split(seed=f"trigger.{self.name}", holdout=self.holdout) if self.holdout else None

    def sync(self, channel: Channel) -> Sync:
        """Give the channel's messages the form that destinations and consent know."""
        way = self.send[channel]
        address = ADDRESS.get(channel, "profile_id")
        message = find_message(way.message)
        names = {address: address, **{name: name for name in message.parts}}
        return Sync(
            audience=self.name,
            destination=way.destination,
            purpose=self.purpose,
            channel=channel,
            key="message_id",
            mode="append_events",
            fields=names,
            options=way.options,
            min_confidence=self.min_confidence,
            owner=self.owner,
        )

    def list_sync(self, list_name: str) -> Sync:
        """Give one list the form that destinations and consent know."""
        step = self.list
        if step is None:
            raise BadDeclaration(f"{self.name}: no list")
        options = {
            name: value.replace("{list}", list_name) if isinstance(value, str) else value
            for name, value in step.options.items()
        }
        return Sync(
            audience=self.name,
            destination=step.destination,
            purpose=self.purpose,
            channel=ADS,
            fields=step.fields,
            options=options,
            min_confidence=self.min_confidence,
            owner=self.owner,
        )

    def message(self, channel: Channel) -> Message:
        return find_message(self.send[channel].message)

    @model_validator(mode="after")
    def _reason_can_be_told(self) -> Self:
        special = {EVER, ENTRY} & set(self.reasons)
        if special and len(self.reasons) > 1:
            raise ValueError(f"reason: {special.pop()} stands alone")
        if self.when.event and (stray := set(self.reasons) - {*EVENT_REASONS, EVER}):
            raise ValueError(f"reason: {stray.pop()} is none of {', '.join((*EVENT_REASONS, EVER))}")
        if self.when.rows and ENTRY in self.reasons:
            raise ValueError("reason: name the columns that tell one row of a person from another")
        if self.when.leaves and self.reasons not in {(ENTRY,), (EVER,)}:
            raise ValueError("reason: of who left no column is left; entry or ever")
        return self

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if bool(self.send) == bool(self.list):
            raise ValueError("send: give messages to send, or a list, and not both")
        if self.list and self.quiet_hours:
            raise ValueError("quiet_hours: a list wakes nobody")
        if self.list and "{" in self.list.name and "product_id" not in self.reasons:
            raise ValueError("list: a list per product needs product_id among the reasons")
        return self

    @model_validator(mode="after")
    def _is_told_what_it_needs(self) -> Self:
        if self.unless_bought == "product" and self.when.audience and "product_id" not in self.reasons:
            raise ValueError("unless_bought: product needs product_id among the reasons")
        kinds = {"profile", "traits", "offer", "product"} | (
            {"event"} if self.when.event else set() if self.when.leaves else {"row"}
        )
        for channel, way in self.send.items():
            if stray := sorted(find_message(way.message).sources - kinds):
                raise ValueError(
                    f"send.{channel}: message {way.message} reads {stray[0]}.…; this trigger knows {sorted(kinds)}"
                )
        return self


def load_trigger(file: Path) -> Trigger:
    """Read the trigger a file declares; the file's name is its name."""
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return _tried(
            Trigger.model_validate({**declared, "name": file.stem} if isinstance(declared, dict) else declared)
        )
    except yaml.YAMLError as error:
        raise BadDeclaration(f"{file.name}: not YAML ({_one_line(error)})") from error
    except ValidationError as error:
        raise BadDeclaration(f"{file.name}: {_first(error)}") from error
    except BadDeclaration as error:
        raise BadDeclaration(f"{file.name}: {error}" if file.name not in str(error) else str(error)) from error


def all_triggers(folder: Path = TRIGGERS) -> list[Trigger]:
    """Every trigger there is, by name: the folder is the registry."""
    return [load_trigger(file) for file in sorted(folder.glob("*.yml"))]


def find_trigger(name: str, folder: Path = TRIGGERS) -> Trigger:
    """Find the trigger of that name."""
    file = folder / f"{name}.yml"
    if not IDENTIFIER.fullmatch(name) or not file.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml"))) or "none yet"
        raise BadDeclaration(f"no trigger {name!r} in {folder.name}/: there are {known}")
    return load_trigger(file)


def _tried(trigger: Trigger) -> Trigger:
    """Shorten the wait while trying out; everything else that is asked stays as declared."""
    longest = trial_wait()
    if longest is None:
        return trigger
    return trigger.model_copy(update={"wait": min(trigger.wait, longest), "quiet_hours": None})


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where + ': ' if where else ''}{_one_line(first['msg'])}"


def _one_line(message: object) -> str:
    return re.sub(r"\s+", " ", str(message)).strip().removeprefix("Value error, ")
