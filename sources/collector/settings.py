"""What a company decides about its collector: one YAML file, read once at the start."""

import secrets
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

from sources.refusals import BadConfiguration

FIRST = """\
# Who may send events here. `cdp collect` reads it when it starts; sources/collector/README.md says all of it.
sources:
  site:
    write_key: {browser}
    kind: browser # its key is public: the address is the shopper's
  server:
    write_key: {server}
    kind: server # context.ip is what the sender says
"""


# Which purposes of the consent log (`marketing`, or `marketing.email` for one channel) a category stands for.
PURPOSES: dict[str, tuple[str, ...]] = {
    "advertising": ("advertising",),
    "datasharing": ("advertising",),
    "analytics": ("analytics",),
    "functional": ("personalization",),
    "personalization": ("personalization",),
    "marketing": ("marketing",),
}


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """Which consent categories decide what, compared without case; absent is an event that says nothing."""

    collect: tuple[str, ...] = ("analytics",)  # all of them must be true, or the event isn't kept
    share: tuple[str, ...] = ("advertising", "datasharing")  # what `Sec-GPC: 1` makes false
    absent: Literal["allow", "deny"] = "allow"
    purposes: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(PURPOSES))


class Sender(Struct, frozen=True, forbid_unknown_fields=True):
    """One source of events and its write key."""

    write_key: str
    kind: Literal["browser", "app", "server"] = "browser"
    enabled: bool = True
    plan: str | None = None  # a file of sources/collector/plans, without its ending
    ip: Literal["truncate", "drop", "keep"] = "truncate"
    consent: Consent = Consent()
    origins: tuple[str, ...] = ()  # sites whose pages may send; none named: any
    events_per_second: int | None = None
    name: str = ""  # given by its key in the file


class Hook(Struct, frozen=True, forbid_unknown_fields=True):
    """One sender of webhooks, at `/webhooks/<its key in the file>`."""

    secrets: tuple[str, ...]  # several while one is being replaced
    kind: str = ""  # a file of sources/collector/webhooks; default: its own name
    consent: Consent = Consent()
    tables: tuple[str, ...] = ()  # of a generic one: which `<connector>.<table>` it may write
    name: str = ""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes in bytes after decompression; the first three are Segment's."""

    event: int = 32 * 1024
    batch: int = 500 * 1024
    events: int = 2500
    webhook: int = 5 * 1024 * 1024
    in_flight: int = 64 * 1024 * 1024  # all bodies being worked on, per worker
    seconds: float = 10.0  # for a client to send its request
    ids_a_day: int = 1_000_000  # message ids remembered at ease: 16 bytes of memory each, for two days; more take more


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    sources: dict[str, Sender] = field(default_factory=dict)
    webhooks: dict[str, Hook] = field(default_factory=dict)
    limits: Limits = Limits()
    trusted_proxies: int = 0  # how many of our own proxies append to X-Forwarded-For
    metrics: Literal["local", "anyone"] = "local"  # who may read /metrics


def read_settings(file: Path) -> Settings:
    """Read the file; a missing one is written first, with two fresh keys."""
    if not file.exists():
        write_first(file)
    try:
        settings = msgspec.yaml.decode(file.read_bytes(), type=Settings)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{file}: {error}") from None
    return checked(settings, file)


def write_first(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(FIRST.format(browser=f"wk_{secrets.token_urlsafe(18)}", server=f"wk_{secrets.token_urlsafe(24)}"))


def checked(settings: Settings, file: Path) -> Settings:
    """Name what stands under a name; refuse two senders with one key."""
    keys = [sender.write_key for sender in settings.sources.values()]
    if len(keys) != len(set(keys)) or not all(keys):
        raise BadConfiguration(f"{file}: give each source a write_key of its own")
    return msgspec.structs.replace(
        settings,
        sources={name: msgspec.structs.replace(sender, name=name) for name, sender in settings.sources.items()},
        webhooks={
            name: msgspec.structs.replace(hook, name=name, kind=hook.kind or name)
            for name, hook in settings.webhooks.items()
        },
    )
