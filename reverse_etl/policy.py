"""Lists over several syncs: who is sent nowhere, and in which order syncs may have a person.

A file `policies/<name>.yml` holds `exclude: [audience]` (for all syncs, or those in `syncs:`) or
`priority: [sync, sync]`: a person wanted by one of them isn't sent by those after it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from reverse_etl.consent import consented
from reverse_etl.split import HOLDOUT
from reverse_etl.sync import SYNCS, BadDeclaration, Name, Sync, find_sync
from reverse_etl.warehouse import Warehouse, quoted

POLICIES = Path(__file__).parent / "policies"


class PolicyFile(BaseModel):
    """One file of the folder, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exclude: tuple[Name, ...] = ()
    syncs: tuple[Name, ...] = ()  # none: all
    priority: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if bool(self.exclude) == bool(self.priority):
            raise ValueError("give exclude or priority")
        if self.priority and self.syncs:
            raise ValueError("syncs goes with exclude; a priority names its syncs")
        if len(set(self.priority)) < len(self.priority):
            raise ValueError("priority: a sync is named twice")
        return self


@dataclass(frozen=True)
class Policy:
    """What the lists mean for one sync."""

    exclude: tuple[str, ...] = ()  # audiences whose people are not sent
    higher: tuple[Sync, ...] = ()  # syncs that go before this one
    lower: tuple[str, ...] = ()  # names of those after it
    own: str = ""  # this one


NO_POLICY = Policy()


def policy_of(sync: Sync, folder: Path = POLICIES, syncs: Path = SYNCS) -> Policy:
    """Read what all files of the folder mean for a sync."""
    exclude: dict[str, None] = {}
    higher: dict[str, Sync] = {}
    lower: dict[str, None] = {}
    for file in sorted(folder.glob("*.yml")):
        policy = _load(file)
        _refuse_strangers(file, policy, syncs)
        if not policy.syncs or sync.name in policy.syncs:
            exclude |= dict.fromkeys(policy.exclude)
        if sync.name in policy.priority:
            place = policy.priority.index(sync.name)
            higher |= {name: find_sync(name, syncs) for name in policy.priority[:place]}
            lower |= dict.fromkeys(policy.priority[place + 1 :])
    return Policy(tuple(exclude), tuple(higher.values()), tuple(lower), sync.name)


def _refuse_strangers(file: Path, policy: PolicyFile, syncs: Path) -> None:
    """A mistyped name would keep nobody out of anything, and nobody would notice."""
    for name in (*policy.syncs, *policy.priority):
        if not (syncs / f"{name}.yml").exists():
            known = ", ".join(sorted(other.stem for other in syncs.glob("*.yml"))) or "none yet"
            raise BadDeclaration(f"policies/{file.name}: no sync {name!r}: there are {known}")


def _load(file: Path) -> PolicyFile:
    try:
        return PolicyFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise BadDeclaration(f"policies/{file.name}: not YAML") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = " ".join(first["msg"].split()).removeprefix("Value error, ")
        raise BadDeclaration(f"policies/{file.name}: {where + ': ' if where else ''}{reason}") from error


def excluded_sql(policy: Policy, profile_id: str, *, is_leaving: bool = False) -> str:
    """Write SQL for whether a profile must not be sent.

    A sync waits for the others of its list to let go of a person: at no moment is anybody at two of them. Whom it has
    itself it keeps, unless the row is leaving anyway.
    """
    lists = [f"select profile_id from audiences.{quoted(name)}" for name in policy.exclude]
    lists += [_wanted(sync) for sync in policy.higher]
    if others := [*policy.lower, *(sync.name for sync in policy.higher)]:
        kept = "" if is_leaving or not policy.own else f" except ({_held([policy.own])})"
        lists.append(f"{_held(others)}{kept}")
    # `in` a list with a null is never false.
    found = (
        f"{profile_id} in (select profile_id from ({sql}) as listed where profile_id is not null)" for sql in lists
    )
    return " or ".join(f"coalesce({condition}, false)" for condition in found) or "false"


def _held(syncs: list[str]) -> str:
    names = ", ".join(f"'{name}'" for name in syncs)
    return (
        f"select profile_id from activation.journal where sync_name in ({names}) "
        "and (is_held or pending_operation is not null)"
    )


def due_elsewhere(warehouse: Warehouse, sync: Sync, other: Sync, *, is_higher: bool) -> bool:
    """Whether another sync of the list holds somebody whom this one wants and may have."""
    mine = f" except ({_wanted(other)})" if is_higher else ""
    return bool(
        warehouse.execute(
            f"select 1 from ({_held([other.name])} intersect ({_wanted(sync)}{mine}) except ({_held([sync.name])})) "
            "as due limit 1"
        )
    )


def _wanted(sync: Sync) -> str:
    """Write SQL for the profiles another sync would send, as far as its mapping has no say."""
    arm = f" and {sync.split.sql('audience.profile_id')} <> '{HOLDOUT}'" if sync.split else ""
    return (
        f"select audience.profile_id from audiences.{quoted(sync.audience)} as audience "
        f"inner join ({consented(sync)}) as consented on audience.profile_id = consented.profile_id "
        f"where consented.is_granted = 1{arm}"
    )
