"""People with an e-mail address and a phone, some of them shared, and a place that matches on any of the two."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from activation_town import VIP, Town, sync_now
from mortal import Fatal

from reverse_etl.destination import Spec
from reverse_etl.normalise import Identified
from reverse_etl.run import preview

BOTH = VIP.model_copy(update={"fields": {"email": "email", "phone": "phone", "amount": "value"}})


@dataclass
class Anyway(Fatal):
    """Whoever is removed by one identifier is gone for everybody who has it."""

    pepper: str = ""
    taken_off: list = field(default_factory=list)  # identifiers of each removal

    @property
    def spec(self):
        return Spec(
            batch_rows=self.batch_rows, identifiers=("email", "phone"), matches_any=True, attempts=1,
            honours_operation_ids=self.honours_operation_ids,
        )  # fmt: skip

    def identify(self, fields: Mapping):
        return Identified({name: self.pepper + value for name, value in fields.items() if value}, {})

    def apply(self, operation_id, operation, identifiers, fields):
        if self.honours_operation_ids and operation_id in self.results:
            return self.results[operation_id]
        outcome = "delivered"
        if operation == "remove":
            self.taken_off.append(identifiers)
            for value in identifiers.values():
                self.members.pop(value, None)
        elif fields.get("value") == 13:
            outcome = "rejected"
        else:
            self.members |= dict.fromkeys(identifiers.values(), fields)
        self.results[operation_id] = outcome
        return outcome


class Crowd(Town):
    """`crowd.are(ann="e1 p1", bob="e1 p2")`: who has which e-mail address (e…) and phone (p…)."""

    def __post_init__(self):
        super().__post_init__()
        self.warehouse.execute("alter table audiences.vip add column phone text")

    def are(self, amounts=None, *, consenting=True, **people):
        found = {name: dict.fromkeys(("email", "phone")) for name in people}
        for name, words in people.items():
            for word in words.split():
                found[name]["email" if word[0] == "e" else "phone"] = word
        rows = {name: {**one, "amount": (amounts or {}).get(name, 1)} for name, one in found.items()}
        self.audience(rows, consenting=consenting)
        for name, one in found.items():
            self.warehouse.execute("update audiences.vip set phone = ? where profile_id = ?", [one["phone"], name])

    def released(self):
        return self.warehouse.execute(
            "select operation, outcome, code from activation.attempts where code = 'held_by_others'"
        )

    def held(self):
        """Who is held, as words."""
        rows = self.warehouse.execute("select identifiers from activation.journal where is_held")
        return sorted(" ".join(sorted(json.loads(found).values())) for (found,) in rows)


def sync(warehouse, remote, **options):
    return sync_now(warehouse, remote, BOTH, approve=True, **options)


def is_quiet(warehouse, remote):
    planned, _ = preview(warehouse, BOTH, destination=remote, gate="ignored")
    return planned.size + planned.released == 0
