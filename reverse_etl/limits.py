"""The guards of a sync as its YAML declares them: reviewed like code."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Action = Literal["block", "hold", "warn"]


class Guard(BaseModel):
    """A limit and what happens beyond it: `block` for good, `hold` until approved, or `warn` and go on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: float = Field(default=0, ge=0)
    action: Action = "hold"


class Guards(BaseModel):
    """`guards:` of a sync. A guard is `name: limit`, `name: action` or `name: {limit, action}`.

    empty: the audience is; removed_share and changed_share: of the members held; floor and ceiling: of members
    wanted; first_run: additions when nobody is held; minimum: fewer members than the destination serves;
    quota: rows in a day; cost: of one run. People who took back their consent never count as removed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    empty: Guard = Guard()
    removed_share: Guard = Guard()  # without a limit of its own: the sync's max_removed_share
    changed_share: Guard | None = None
    floor: Guard | None = None
    ceiling: Guard | None = None
    first_run: Guard | None = None
    minimum: Guard = Guard(action="warn")
    quota: Guard | None = None
    cost: Guard | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _short_forms(cls, declared: Any) -> Any:
        if isinstance(declared, str):
            return {"action": declared}
        if isinstance(declared, int | float) and not isinstance(declared, bool):
            return {"limit": declared}
        return declared

    @field_validator("removed_share", "changed_share")
    @classmethod
    def _is_a_share(cls, guard: Guard | None) -> Guard | None:
        if guard and guard.limit > 1:
            raise ValueError("a share is between 0 and 1")
        return guard

    @field_validator("changed_share", "floor", "ceiling", "first_run", "quota", "cost", mode="after")
    @classmethod
    def _has_a_limit(cls, guard: Guard | None) -> Guard | None:
        if guard and "limit" not in guard.model_fields_set:
            raise ValueError("needs a limit")
        return guard
