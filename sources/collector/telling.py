"""Log lines for machines: one JSON object each, of fields that can't hold personal data."""

import json
import logging
import sys
import time
import traceback

FIELDS = ("worker", "host", "port", "code", "error", "where", "count", "file", "pid")


def tell(event: str, **fields: object) -> None:
    """Write one line to standard error; a field that isn't on the list is a fault of ours."""
    if unknown := fields.keys() - set(FIELDS):
        raise ValueError(f"not a field of the log: {', '.join(sorted(unknown))}")
    line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **fields}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


def tell_error(event: str, error: BaseException) -> None:
    """Say what kind of error it was and where; its message may quote what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    last = next(
        (frame for frame in reversed(frames) if "/collector/" in frame.filename), frames[-1] if frames else None
    )
    where = f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}" if last else ""
    tell(event, error=type(error).__name__, where=where)


class Handler(logging.Handler):
    """Passes on what libraries report, as far as it is of any use: the level and who said it."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.levelname
        tell("library_message", error=error, where=f"{record.name}:{record.lineno}")


def listen_to_libraries() -> None:
    logging.basicConfig(handlers=[Handler(logging.WARNING)], level=logging.WARNING, force=True)
