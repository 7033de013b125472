"""Holdouts and arms: which part of a split a person is in follows from their profile and the split's seed alone."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reverse_etl.warehouse import IDENTIFIER, Warehouse

HOLDOUT = "holdout"
ROOM = 16**7  # buckets; as hex digits they compare as text, alike in every warehouse


class Split(BaseModel):
    """`split:` of a sync.

    seed: syncs with the same one put a person into the same part. holdout: the share that is not sent.
    arms: name → weight, of the rest. field: the name at the destination of a person's arm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    holdout: float = Field(default=0, ge=0, lt=1)
    arms: dict[str, float] = Field(default_factory=dict)
    field: str | None = Field(default=None, pattern=f"^{IDENTIFIER.pattern}$")

    @model_validator(mode="after")
    def _is_a_split(self) -> Self:
        if not self.holdout and not self.arms:
            raise ValueError("split: give a holdout, arms, or both")
        for arm, weight in self.arms.items():
            if not IDENTIFIER.fullmatch(arm) or arm == HOLDOUT:
                raise ValueError(f"split: {arm!r} can't be the name of an arm")
            if weight <= 0:
                raise ValueError(f"split: the weight of {arm} must be above 0")
        if self.field and not self.arms:
            raise ValueError("split: a field needs arms")
        return self

    def sql(self, profile_id: str) -> str:
        """Write SQL for the part a profile is in."""
        bucket = f"substr(md5(concat('{self.seed}/', {profile_id})), 1, 7)"
        arms = self.arms or {"sent": 1.0}
        total, edge, cases = sum(arms.values()), self.holdout, []
        if self.holdout:
            cases.append((edge, HOLDOUT))
        for arm, weight in list(arms.items())[:-1]:
            edge += weight / total * (1 - self.holdout)
            cases.append((edge, arm))
        whens = " ".join(f"when {bucket} < '{round(upto * ROOM):07x}' then '{part}'" for upto, part in cases)
        last = list(arms)[-1]
        return f"case {whens} else '{last}' end" if whens else f"'{last}'"


_RECORDED = (
    """
    update activation.arms as arms set arm = desired.arm, assigned_at = cast(? as timestamp)
    from {desired} as desired
    where arms.sync_name = '{sync}' and arms.seed = '{seed}' and arms.profile_id = desired.profile_id
        and arms.arm <> desired.arm
    """,
    """
    insert into activation.arms (sync_name, seed, profile_id, arm, assigned_at)
    select distinct '{sync}', '{seed}', desired.profile_id, desired.arm, cast(? as timestamp)
    from {desired} as desired
    where desired.profile_id is not null and not exists (
        select 1 from activation.arms as arms
        where arms.sync_name = '{sync}' and arms.seed = '{seed}' and arms.profile_id = desired.profile_id
    )
    """,
)


def record_arms(warehouse: Warehouse, sync_name: str, split: Split, desired: str, at: object) -> None:
    """Write down who of the audience is in which part since when; parts of people who left stay on record."""
    for statement in _RECORDED:
        # A parameter in `update ... from` is safe while it is the only one.
        warehouse.execute(statement.format(desired=desired, sync=sync_name, seed=split.seed), [str(at)])
