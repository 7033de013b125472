"""Build what follows from a decision, and say what became of the people it is about."""

from collections.abc import Sequence

from dagster_cdp.identity.parting import REBUILD, Parting, compare, stand
from dagster_cdp.warehouse import connect


class NotRebuilt(RuntimeError):
    """The build failed; the decision stands and the next build applies it."""


def rebuild(nodes: Sequence[int]) -> Parting:
    """Everything from the decisions to the audiences. Raises NotRebuilt naming what failed."""
    from dagster_cdp.line import run_line  # noqa: PLC0415 - 6 s of imports

    with connect("before the decision") as warehouse:
        before = stand(warehouse, nodes)
    report = run_line(REBUILD)
    if not report.succeeded:
        raise NotRebuilt(f"the decision is written, but the build failed: {'; '.join(report.failures)}")
    with connect("after the decision") as warehouse:
        return compare(warehouse, before, stand(warehouse, list(before.profiles)))
