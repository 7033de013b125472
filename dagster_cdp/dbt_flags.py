"""dbt's behaviour flags, made cheap for a process that runs many of its commands."""

from typing import Any


def forget_who_declared() -> None:
    """Spare dbt the search for which module declared a flag, a name that only a warning would show.

    For each flag dbt-common looks through the whole stack and all modules: a quarter of a second in a Dagster process.
    And dbt-adapters adds PostgreSQL's flags to a list of all adapters with each command, so that the next takes longer.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered  # noqa: PLC0415 - 0.3 s, and only for who runs dbt

    flags: Any = BehaviorFlagRendered
    flags._default_source = staticmethod(lambda: "dbt.adapters")  # noqa: SLF001 - there is no other way in
