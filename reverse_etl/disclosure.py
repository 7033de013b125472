"""What a mapping would show to a destination that gets only hashes."""

import re

from reverse_etl.destination import Spec, identifiers_of, identifying
from reverse_etl.mapping import placeholders
from reverse_etl.sync import BadDeclaration, Sync

PERSONAL = re.compile(
    r"^(email|phone|first_name|last_name|full_name|birth_on|birth_date|address_line|street)(_|$)|_(email|phone)$"
)


def refuse_readable(sync: Sync, spec: Spec) -> None:
    """Raise when a column that identifies, or is named like personal data, would leave in clear."""
    hashed = set(identifiers_of(sync, spec).values())
    shown = {column for column in sync.fields if column not in hashed}
    shown.update(name for template in sync.templates.values() for name in placeholders(template))
    if named := sorted(column for column in shown if column in hashed or PERSONAL.search(column)):
        raise BadDeclaration(
            f"{sync.name}: {', '.join(named)} would reach {sync.destination} in clear, which gets only hashes; "
            f"map it to one of {', '.join(sorted(identifying(spec)))}, or leave it out"
        )
