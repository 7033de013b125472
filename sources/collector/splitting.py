"""Cuts a batch into its events without reading them: for one that holds an event nested too deep for any reader."""

import re

_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]')
_BATCH = re.compile(rb'"batch"\s*:\s*\[')


def split(body: bytes) -> tuple[bytes, list[bytes]] | None:
    """Return the body with an empty batch, and the texts of its events; None if no batch can be found."""
    if (found := _BATCH.search(body)) is None:
        return None
    parts, level, begin = [], 0, found.end()
    for mark in _MARKS.finditer(body, begin):
        match mark.group():
            case b"[" | b"{":
                level += 1
            case b"]" if level == 0:
                parts.append(body[begin : mark.start()].strip())
                return body[: found.end()] + body[mark.start() :], [part for part in parts if part]
            case b"]" | b"}":
                level -= 1
            case b"," if level == 0:
                parts.append(body[begin : mark.start()].strip())
                begin = mark.end()
    return None
