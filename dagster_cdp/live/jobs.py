"""What batch processes hand over while there is an owner: dbt, loads, gates. Each runs here as it would there.

A batch never writes a hot model: what it brought them is taken up by a cycle before and after it, through the
same marks by which an increment knows what is new.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from dagster_cdp import dbt
from dagster_cdp.gates import Verdict, all_suites, judge_all
from dagster_cdp.live.gate import HOT
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.service import Answer, Tell
from dagster_cdp.warehouse import connect
from sources.pipeline import LoadReport, load
from sources.source import load_source


class Jobs:
    """The batch jobs of an owner."""

    def __init__(self, loop: Loop, brought: Callable[[], None] = lambda: None) -> None:
        self._loop = loop
        self._brought = brought  # called when one has written what cycles did not

    def answers(self) -> dict[str, Answer]:
        return {"dbt": self.dbt, "load": self.load, "gate": self.gate}

    def dbt(self, tell: Tell, arguments: Sequence[str], hot: Sequence[str]) -> dbt.Outcome:
        """Build what was selected but for the hot models, which cycles build; then test those."""
        dbt.forget_if_changed()
        self._loop.refresh()
        with self._loop.company():
            done = dbt.run([*arguments, "--exclude", f"tag:{HOT},resource_type:model"], tell)
        self._brought()
        self._loop.refresh()
        if not done.success or not hot:
            return done
        words = ["test", *dbt.places(), "--select", *hot, "--exclude-resource-type", "unit_test", "--no-write-json"]
        with self._loop.company():
            return dbt.run(words, tell)

    def load(self, _: Tell, name: str) -> LoadReport:
        """Load what lies outside the log; the log's lanes are landed by the cycles."""
        with self._loads_apart():
            report = load(load_source(name), follows_log=False)
        self._brought()
        return report

    def gate(self, _: Tell, tables: Sequence[str]) -> list[Verdict]:
        with self._loads_apart(), connect("gate") as warehouse:
            return judge_all([suite for suite in all_suites() if suite.table in tables], warehouse)

    @contextmanager
    def _loads_apart(self) -> Iterator[None]:
        """What is judged, or older than what is loaded, must not grow any more; a cycle that has begun ends first."""
        with self._loop.company(), ExitStack() as stack:
            with self._loop.turn:
                stack.enter_context(self._loop.tail.loads_apart())
            yield
