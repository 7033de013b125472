"""The script for pages, as it is served."""

from functools import cache
from pathlib import Path


@cache
def script() -> bytes:
    return Path(__file__).with_name("snippet.js").read_bytes()
