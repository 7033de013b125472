"""Sessions of uploads to Meta, and the replacement of a whole audience: one session, ninety minutes, then it stands."""

from datetime import datetime, timedelta
from typing import Any

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer
from reverse_etl.sandbox.vendors.meta_events import error

WINDOW = timedelta(minutes=90)
Document = dict[str, Any]


def session_flaw(store: Store, id_: str, schema: list[str], session: Document) -> str:
    if not session:
        return ""
    number, sequence = session.get("session_id"), session.get("batch_seq")
    if not (isinstance(number, int) and 0 < number < 2**63) or not (isinstance(sequence, int) and sequence > 0):
        return "Invalid session: session_id must be a positive 64-bit integer and batch_seq count from 1"
    known = store.get("sessions", f"{id_}/{number}")
    return "All batches of a session share one schema" if known and known["schema"] != schema else ""


def received(store: Store, id_: str, schema: list[str], session: Document, *, rows: int, wrong: int) -> int:
    """Count what was received, over the session when there is one."""
    if not session:
        return rows
    key = f"{id_}/{session['session_id']}"
    before = (store.get("sessions", key) or {"shown": {"num_received": "0", "num_invalid_entries": "0"}})["shown"]
    count, flaws = int(before["num_received"]) + rows, int(before["num_invalid_entries"]) + wrong
    is_last = bool(session.get("last_batch_flag"))
    shown = {
        "session_id": str(session["session_id"]),
        "stage": "completed" if is_last else "uploading",
        "progress": "100" if is_last else "50",
        "num_received": str(count),
        "num_matched": str(count - flaws),
        "num_invalid_entries": str(flaws),
    }
    store.put("sessions", key, {"schema": schema, "shown": shown})
    return count


def is_replacing(store: Store, id_: str, now: datetime) -> bool:
    """Whether somebody replaces it still; after the window the audience is what was uploaded by then."""
    running = store.get("replacing", id_)
    if running and now - datetime.fromisoformat(running["since"]) > WINDOW:
        finish(store, id_, subcode=1_870_158)
        return False
    return bool(running)


def refusal(store: Store, id_: str, session: Document, now: datetime) -> Answer | None:
    """Say why this batch of a replacement isn't taken; the first batch of a session begins one."""
    if not session:
        return error(100, "A replacement needs a session")
    running = store.get("replacing", id_) if is_replacing(store, id_, now) else None
    if over := store.get("replaced", f"{id_}/{session['session_id']}"):
        return error(2650, "The session is over.", over["subcode"])
    if running and (running["session_id"] != session["session_id"] or session["batch_seq"] == 1):
        return error(2650, "A replacement is in progress.", 1_870_145)
    if not running and session["batch_seq"] != 1:
        return error(2650, "The first batch is missing.", 1_870_147)
    if not running:
        store.put("replacing", id_, {"session_id": session["session_id"], "since": now.isoformat()})
    return None


def finish(store: Store, id_: str, *, subcode: int = 1_870_159) -> None:
    """Let what was uploaded stand; `subcode` is what later batches of the session are told."""
    running = store.get("replacing", id_)
    store.drop_all(f"members/{id_}")
    store.put_all(f"members/{id_}", store.all(f"staged/{id_}"))
    store.drop_all(f"staged/{id_}")
    store.drop("replacing", id_)
    store.put("replaced", f"{id_}/{running['session_id']}", {"subcode": subcode})
