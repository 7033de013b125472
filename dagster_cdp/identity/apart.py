"""Why two identifiers are not one person: the evidence that was refused, or that there is none."""

from dataclasses import dataclass

from dagster_cdp.identity.finding import Found
from dagster_cdp.identity.person import REFUSAL_COLUMNS, Refusal, refusal
from reverse_etl.warehouse import Warehouse

MOST = 20


@dataclass(frozen=True, slots=True)
class Apart:
    """Refused links between two profiles, else over an identifier both know, else near either of them."""

    one: Found
    other: Found
    how: str  # between | over_shared | same_surroundings | blocked_value | nothing
    refusals: tuple[Refusal, ...]


def why_apart(warehouse: Warehouse, one: Found, other: Found) -> Apart:
    if one.profile_id is None or other.profile_id is None:
        return Apart(one, other, "blocked_value", ())
    ends = [one.profile_id, other.profile_id]
    if direct := _refused(warehouse, _BETWEEN, [*ends, *reversed(ends)]):
        return Apart(one, other, "between", direct)
    if shared := _refused(warehouse, _OVER_SHARED, ends * 2):
        return Apart(one, other, "over_shared", shared)
    if _is_one_component(warehouse, ends):
        return Apart(one, other, "same_surroundings", _refused(warehouse, _NEAR, ends * 2))
    return Apart(one, other, "nothing", ())


def _refused(warehouse: Warehouse, question: str, parameters: list[str]) -> tuple[Refusal, ...]:
    order = f" order by link_count desc, left_node_id, right_node_id limit {MOST}"
    rows = warehouse.execute(question + order, parameters)
    return tuple(refusal(row) for row in rows)


_ALL = f"select {REFUSAL_COLUMNS} from identity.blocked_links where "
_BETWEEN = _ALL + "(left_profile_id = ? and right_profile_id = ?) or (left_profile_id = ? and right_profile_id = ?)"
_NEAR = _ALL + "left_profile_id in (?, ?) or right_profile_id in (?, ?)"

# The far end of a refused link of one profile that is also the far end of one of the other.
_OVER_SHARED = f"""
with

touching as (

    select left_profile_id as profile_id, right_node_id as far_node_id, blocked.*
    from identity.blocked_links as blocked where left_profile_id in (?, ?)
    union all
    select right_profile_id, left_node_id, blocked.*
    from identity.blocked_links as blocked where right_profile_id in (?, ?)

),

met as (

    select far_node_id from touching group by far_node_id having count(distinct profile_id) = 2

)

select distinct {REFUSAL_COLUMNS}
from touching
where far_node_id in (select far_node_id from met)
"""


def _is_one_component(warehouse: Warehouse, ends: list[str]) -> bool:
    """Whether evidence would connect them if no limit or decision stood between."""
    rows = warehouse.execute(
        "select count(distinct groups.component_id) from identity.identifier_groups as groups"
        " where groups.node_id in (select min(node_id) from identity.profile_identifiers"
        " where profile_id in (?, ?) group by profile_id)",
        ends,
    )
    return int(rows[0][0]) == 1
