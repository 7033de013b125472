"""`cdp quarantine`: what the collector refused and why, and sending it through once more."""

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

quarantine_app = typer.Typer(help="What the collector refused: reasons, and another try.", no_args_is_help=True)

Code = Annotated[str | None, typer.Option(help="Only this reason, as `cdp quarantine list` names it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
Sender = Annotated[str | None, typer.Option("--source", help="Only of this source of the collector's settings.")]

OPEN = """
from raw.collector__refusals as refused
where refused._dlt_load_id in (select load_id from raw._dlt_loads where status = 0)
    and refused.stage not in ('consent', 'replayed')
    and (cast(? as varchar) is null or refused.code = ?) and (cast(? as varchar) is null or refused.source = ?)
"""
CAME_THROUGH = """(
    refused.message_id in (select message_id from raw.web_events__events where message_id is not null)
    or 'refusal-' || refused._row_id in (select message_id from raw.web_events__events where message_id is not null)
    or 'refusal-' || refused._row_id in (select message_id from raw.collector__refusals where stage = 'replayed')
)"""


@quarantine_app.command("list")
def list_refusals(code: Code = None, source: Sender = None, as_json: AsJson = False) -> None:
    """Count refusals by reason and source, and how many of them came through later; never what they say."""
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - each command imports only what it runs

    with connect("quarantine") as warehouse:
        rows = warehouse.execute(
            f"select refused.code, refused.stage, refused.source, count(*), "
            f"cast(sum(case when {CAME_THROUGH} then 1 else 0 end) as bigint), max(refused.received_at) {OPEN} "
            "group by refused.code, refused.stage, refused.source order by 4 desc, 1, 2, 3",
            [code, code, source, source],
        )
    if as_json:
        names = ("reason", "stage", "source", "refused", "through_later", "newest_at")
        print(json.dumps({"refusals": [dict(zip(names, (*row[:5], iso(row[5])), strict=True)) for row in rows]}))
        return
    table = Table(
        Column("reason", no_wrap=True), "stage", "source", "refused", "of these through later", "newest (UTC)"
    )
    for *words, newest in rows:
        table.add_row(*map(str, words), f"{newest:%Y-%m-%d %H:%M}")
    Console().print(table)
    print(f"{sum(row[3] for row in rows)} refused. Once plan or settings are mended: `cdp quarantine replay`.")


@quarantine_app.command("replay")
def replay_refusals(
    code: Code = None,
    source: Sender = None,
    only_try: Annotated[bool, typer.Option("--try", help="Only say what would become of them.")] = False,
) -> None:
    """Judge what was refused again, by the plan and settings of now; what passes goes into the log, and loads next.

    It keeps the time it was received at and its message id. Bodies that could not be read are left.
    """
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - each command imports only what it runs
    from sources.collector.replaying import Kept, replay  # noqa: PLC0415 - as above
    from sources.configuration import read_configuration  # noqa: PLC0415 - as above

    with connect("quarantine") as warehouse:
        rows = warehouse.execute(
            "select refused._row_id, refused.source, refused.received_at, refused.raw, refused.is_base64, refused.sdk, "
            "refused.type, refused.sent_at, refused.stage, refused.message_id "
            f"{OPEN} and refused.stage in ('event', 'plan', 'webhook') and refused.code <> 'malformed_json' "
            "and refused.raw is not null "
            f"and not coalesce({CAME_THROUGH}, false) "
            "order by refused.received_at, refused._source_file, refused._row_number",
            [code, code, source, source],
        )
    refusals = [
        Kept(row_id, sender, iso(received), raw, bool(is_base64), sdk, kind, sent and iso(sent), stage, message_id)
        for row_id, sender, received, raw, is_base64, sdk, kind, sent, stage, message_id in rows
    ]
    counts = replay(refusals, read_configuration(), only_try=only_try)
    for what, count in sorted(counts.items()):
        print(f"{count:>8} {what}")
    tried = "would pass; nothing was written" if only_try else "pass. Next: `cdp run`"
    print(f"{counts['accepted']} of {len(refusals)} {tried}.")


def iso(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='milliseconds')}Z"
