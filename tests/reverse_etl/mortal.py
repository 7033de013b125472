"""A process that can be killed at any statement and during any request, as seen from the warehouse and from outside."""

from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb
from activation_town import Remote


class Killed(BaseException):
    pass


@dataclass
class Mortal:
    """A warehouse as a process sees it that is killed: from then on nothing is written, not even regrets."""

    inner: object
    statements_left: int | None = None
    is_dead: bool = False
    is_row_store: bool = False

    def die(self):
        self.is_dead = True
        with suppress(duckdb.TransactionException):
            self.inner.execute("rollback")
        raise Killed

    def live_one_statement(self):
        if self.is_dead or self.statements_left == 0:
            self.die()
        if self.statements_left is not None:
            self.statements_left -= 1

    def execute(self, sql, parameters=()):
        self.live_one_statement()
        return self.inner.execute(sql, parameters)

    def insert(self, table, columns, rows):
        self.live_one_statement()
        self.inner.insert(table, columns, rows)

    @contextmanager
    def transaction(self):
        self.execute("begin transaction")
        try:
            yield
        except BaseException:
            with suppress(Killed):
                self.execute("rollback")
            raise
        self.execute("commit")

    def close(self):
        pass


class Fatal(Remote):
    """A remote place during whose requests our process may die."""

    ours = None

    def send(self, request):
        mood = self.moods[0] if self.moods else "well"
        if mood == "die":
            self.moods.pop(0)
            self.ours.die()
        if mood == "apply and die":
            self.moods[0] = "well"
            super().send(request)
            self.ours.die()
        return super().send(request)
