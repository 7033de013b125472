"""`cdp serve`, `cdp profile-key`: the profile API for the website and the support desk, and the keys to it."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

_OUT = Console(soft_wrap=True, highlight=False, markup=False)


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; put TLS in front of anything but loopback.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="And at which port.")] = 8790,
    publish: Annotated[bool, typer.Option("--publish", help="Publish the profiles as they are now, and end.")] = False,
    publish_every: Annotated[int, typer.Option(min=0, help="Minutes until they are published again; 0: never.")] = 15,
    longest_age: Annotated[int, typer.Option(min=1, help="Hours after which what is published isn't served.")] = 24,
) -> None:
    """Serve GET /v1/profiles/{identifier}: traits, audiences, consents, recent events.

    Answers come from a published file, so the warehouse is free meanwhile. Who asks needs a key (`cdp profile-key`);
    they see what its scopes name, as far as the person consents to its purposes. Try it:

      cdp profile-key support --scope identity --scope traits --purpose service --basis "support contract"
      cdp serve
      curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8790/v1/profiles/user_id:42
    """
    from reverse_etl.serving import keys, snapshot  # noqa: PLC0415 - each command imports only what it runs

    path = snapshot.default_path()
    if publish:
        _OUT.print(f"{_published(path)} profiles published")
        return
    from reverse_etl.serving import server  # noqa: PLC0415 - as above
    from sources.collector.server import listening  # noqa: PLC0415 - as above

    at = listening(host, port, is_shared=False)  # before minutes are spent on publishing
    if is_new := not path.exists():
        _publish_beside()
    if publish_every:
        threading.Thread(target=_again, args=(publish_every * 60,), kwargs={"is_due": not is_new}, daemon=True).start()
    if not keys.default_path().exists():
        _OUT.print("nobody has a key yet: make one with `cdp profile-key NAME`")
    _OUT.print(f"serving http://{host}:{port}/v1/profiles/… and /openapi.json; ends with Ctrl+C")
    with at:
        server.serve(path, keys.default_path(), at, longest_age=timedelta(hours=longest_age))


def profile_key(  # noqa: PLR0917 - the command's options
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="identity, traits, audiences, consents, events; repeat it.")],
    purpose: Annotated[list[str], typer.Option(help="What for: personalization, marketing …, or service.")],
    channel: Annotated[str | None, typer.Option(help="By which consent channel: onsite, email …")] = None,
    basis: Annotated[str, typer.Option(help="For service: why no consent is asked.")] = "",
    identifier: Annotated[list[str] | None, typer.Option(help="By which identifiers it may ask (all).")] = None,
) -> None:
    """Make a key to the profile API. It is shown once; the file keeps its hash, and taking it out there ends it."""
    from reverse_etl.serving import keys  # noqa: PLC0415 - as above

    rights: dict[str, Any] = {"scopes": scope, "purposes": purpose}
    rights |= {"channel": channel} if channel else {}
    rights |= {"basis": basis} if basis else {}
    rights |= {"identifiers": identifier} if identifier else {}
    path = keys.default_path()
    token = keys.add_key(path, name, rights)
    _OUT.print(f"{token}\n  shown once; its hash is in {path}")


def _published(path: Path) -> int:
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - as above
    from reverse_etl.environment import now  # noqa: PLC0415 - as above
    from reverse_etl.serving.snapshot import publish  # noqa: PLC0415 - as above

    with connect("publish profiles") as warehouse:
        return publish(warehouse, path, now())


def _publish_beside() -> None:
    # Another process: in a thread of this one it would hold up answers.
    subprocess.run([sys.executable, "-m", "dagster_cdp.cli", "serve", "--publish"], check=False)


def _again(seconds: float, *, is_due: bool) -> None:
    pause = threading.Event()
    while not pause.wait(0 if is_due else seconds):
        _publish_beside()
        is_due = False
