"""`python -m reverse_etl list | plan NAME | run NAME | …`: activation without a scheduler."""

import argparse
import json
import sys
from collections.abc import Sequence

from reverse_etl.commands import CODES, COMMANDS, failed
from reverse_etl.environment import command
from reverse_etl.untold import may_quote, without_words

HELP = """\
Bring audiences of the warehouse to the tools that use them.

A sync is a file reverse_etl/syncs/<audience>_to_<destination>.yml. A run sends the difference between the
audience (with consent) and what the journal says was delivered: additions, changes and removals.

  python -m reverse_etl list                      which syncs there are, and what they may be used for
  python -m reverse_etl plan vip_to_sandbox       what a run would send; sends nothing
  python -m reverse_etl run vip_to_sandbox        send it
  python -m reverse_etl run all                   send all, each after those it names in `after`
  python -m reverse_etl status                    how every sync stands
  python -m reverse_etl approve vip_to_sandbox    let the plan that a guard held pass, once, and only that plan
  python -m reverse_etl retry-rejected vip_to_sandbox  send again what was rejected, though it has not changed
  python -m reverse_etl resync vip_to_sandbox     send everybody again; who left is still removed
  python -m reverse_etl log vip_to_sandbox        its last runs, and what is rejected now
  python -m reverse_etl drift vip_to_sandbox      compare with who is at the destination, where it tells
  python -m reverse_etl.sandbox                   look at what the sandbox received

exit codes: 0 all is delivered; 1 some changes were not accepted or not answered (the next run settles them), or the
destination differs; 2 a declaration, audience or argument is wrong; 3 held by a guard or a gate: a person decides;
4 the warehouse, the destination or the sync's lease is not available: try again
"""


def _count(said: str) -> int:
    if (count := int(said)) < 1:
        raise argparse.ArgumentTypeError(f"{count} is none: ask for 1 at least")
    return count


def parser() -> argparse.ArgumentParser:
    """Build the arguments, with the help that teaches them."""
    top = argparse.ArgumentParser(
        prog=command(), description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--json", action="store_true", help="print one JSON document, for machines")
    named = argparse.ArgumentParser(add_help=False, parents=[machine])
    named.add_argument("name", metavar="NAME", help="a sync, as `list` shows it")
    gated = argparse.ArgumentParser(add_help=False, parents=[named])
    gated.add_argument(
        "--gate",
        choices=("required", "ignored"),
        default="required",
        help="whether the audience's newest quality verdict must be passed (default: required)",
    )
    commands.add_parser("list", parents=[machine], help="show the syncs")
    plan = commands.add_parser("plan", parents=[gated], help="show what a run would send, and send nothing")
    plan.add_argument("--resync", action="store_true", help="of a full re-send")
    run = commands.add_parser("run", parents=[gated], help="send the difference")
    run.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for another run to finish")
    status = commands.add_parser("status", parents=[machine], help="show how syncs stand")
    status.add_argument("name", metavar="NAME", nargs="?", help="one sync (default: all)")
    approve = commands.add_parser("approve", parents=[named], help="let the held plan pass once")
    approve.add_argument("--by", metavar="WHO", help="whose word it is (default: the user)")
    commands.add_parser("retry-rejected", parents=[gated], help="try also what was rejected as it is")
    resync = commands.add_parser("resync", parents=[gated], help="send everybody again")
    for one in (run, resync):
        one.add_argument("--approve", action="store_true", help="lift the guards that hold, for this run")
    log = commands.add_parser("log", parents=[named], help="show the last runs")
    log.add_argument("--limit", type=_count, default=10, metavar="N", help="so many runs (default: 10)")
    commands.add_parser("drift", parents=[named], help="compare with the destination")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    asked = parser().parse_args(arguments)
    try:
        code, words, document = COMMANDS[asked.command](asked)
    except tuple(CODES) as error:
        code, words, document = failed(error)
    except Exception as error:
        if not may_quote(error):
            raise
        words = without_words(error)
        _say(json.dumps({"error": words}) if asked.json else words, to_error=not asked.json)
        return 1
    _say(json.dumps(document, default=str) if asked.json else words, to_error=code > 1 and not asked.json)
    return code


def _say(words: str, *, to_error: bool) -> None:
    print(words, file=sys.stderr if to_error else sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
