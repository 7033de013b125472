"""The parts of a trigger's file: what happens, when it is quiet, how often is enough, and what is done."""

from datetime import time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reverse_etl.sync import Name
from reverse_etl.triggers.duration import Duration

LIST_NAME = r"^[a-z0-9_]{0,40}(\{product_id\})?[a-z0-9_]{0,20}$"


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class When(Shape):
    """Exactly one: an event of that name, somebody entering or leaving an audience, or its rows, one reason each."""

    event: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:-]{0,99}$")] | None = None
    enters: Name | None = None
    leaves: Name | None = None
    rows: Name | None = None
    of: Literal["cart"] | None = None  # of an event: once for each product that was put into its cart
    at: Name | None = None  # of rows: the column that says when it happened

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(bool(way) for way in (self.event, self.enters, self.leaves, self.rows)) != 1:
            raise ValueError("name one of event, enters, leaves and rows")
        if bool(self.rows) != bool(self.at):
            raise ValueError("rows needs at, the column that says when; nothing else has it")
        if self.of and not self.event:
            raise ValueError("of belongs to an event")
        return self

    @property
    def audience(self) -> str | None:
        return self.enters or self.leaves or self.rows


class QuietHours(Shape):
    """No message from `from` until `until`, by the clock of the person, or of `time_zone` where theirs is unknown."""

    begin: time = Field(alias="from")
    until: time
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"no time zone {name!r}: write one like Europe/Berlin")
        return name

    @field_validator("begin", "until", mode="before")
    @classmethod
    def _is_a_time_of_day(cls, written: object) -> object:
        # YAML reads 21:00 without quotes as the number 1260.
        if not isinstance(written, str | time):
            raise ValueError('write a time of day in quotes: "21:00"')  # noqa: TRY004 - pydantic's own
        return written

    @field_validator("begin", "until")
    @classmethod
    def _is_by_the_persons_clock(cls, clock: time) -> time:
        if clock.tzinfo:
            raise ValueError("a time of day has no zone: it is the person's clock")
        return clock

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.begin == self.until:
            raise ValueError("from and until are the same moment: nobody knows whether that is never or always")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Cap(Shape):
    """At most so many messages of all triggers to one person within so many days."""

    messages: int = Field(ge=1)
    days: int = Field(ge=1, le=366)


class Way(Shape):
    """How a channel is served: which destination sends which message."""

    destination: Name
    message: Name
    options: dict[str, Any] = Field(default_factory=dict)


class ListStep(Shape):
    """Put the person on a list of an ad platform, or take them off it; `{product_id}` makes it one list per product.

    `options` are the destination's; `{list}` in a value is the list's name.
    """

    destination: Name
    add: str | None = Field(default=None, pattern=LIST_NAME)
    remove: str | None = Field(default=None, pattern=LIST_NAME)
    fields: dict[Name, Name] = Field(default_factory=lambda: {"email": "email"})  # column of the profile: name there
    options: dict[str, Any] = Field(default_factory=dict)
    lasts: Duration | None = None  # after that they are taken off again

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if bool(self.add) == bool(self.remove):
            raise ValueError("name add or remove")
        return self

    @property
    def name(self) -> str:
        return self.add or self.remove or ""
