"""What destinations of messages share: a message is sent at most once, and can't be taken back."""

from typing import Any

from reverse_etl.destination import Spec
from reverse_etl.sync import BadDeclaration, Sync


def spec(sync: Sync, batch_rows: int, batch_bytes: int, **further: Any) -> Spec:
    """Make the spec of messages without idempotency: what may have arrived is not sent again.

    One attempt: after an answer that was lost, only a person can see whether the message is there.
    """
    if sync.mode != "append_events":
        raise BadDeclaration(f"{sync.name}: mode: a message can't be taken back, {sync.destination} is append_events")
    return Spec(batch_rows, batch_bytes, is_set=False, repeats_unknown=False, attempts=1, **further)
