"""What proposed rules would change, for a terminal."""

from rich.console import Console
from rich.table import Table

from dagster_cdp.identity.consequences import Consequences, Example


def print_consequences(found: Consequences, console: Console) -> None:
    """Counts first, then examples, then what follows for audiences and consent."""
    say(console, f"Profiles: {found.profiles_before:,} → {found.profiles_after:,}")
    say(console, f"  {found.profiles_merging:,} merge into {found.merged_into:,}")
    print_examples(found.merges, "{parts} become {whole}", console)
    say(console, f"  {found.profiles_splitting:,} split into {found.split_into:,}")
    print_examples(found.splits, "{whole} becomes {parts}", console)
    if found.identifiers_dropped or found.identifiers_added:
        say(
            console, f"  identifiers nobody's any more: {found.identifiers_dropped:,}, new: {found.identifiers_added:,}"
        )
    table = Table("audience", "now", "then", "in", "out", box=None, pad_edge=False)
    for name, change in found.audiences.items():
        counts = (change.members_before, change.members_after, change.coming_in, change.going_out)
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)
    table = Table("consent to", "more people", "fewer people", box=None, pad_edge=False)
    for consent in found.consents:
        use = f"{consent.purpose}/{consent.channel}"
        table.add_row(use, f"{consent.granted:,}", f"{consent.no_longer_granted:,}")
    console.print(table)
    say(console, "Nothing was changed. Next: let the file take the place of dbt_project/seeds/identifier_rules.csv,")
    say(console, "and `cdp run`.")


def print_examples(examples: list[Example], words: str, console: Console) -> None:
    for example in examples:
        some = f"{', '.join(example.profile_ids[:3])}{' …' if len(example.profile_ids) > 3 else ''}"  # noqa: PLR2004
        ends = words.format(parts=some, whole=example.into_or_from)
        say(console, f"    {ends}: {', '.join(example.identifiers)} …")


def say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True, highlight=False)
