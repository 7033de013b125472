"""A few explanations for the page of an asset, so that somebody sees with each build why people are people."""

from dataclasses import dataclass

from dagster_cdp.identity.bridging import largest
from dagster_cdp.identity.document import explained
from dagster_cdp.identity.explain import explain
from dagster_cdp.identity.finding import Found
from dagster_cdp.identity.telling import markdown
from reverse_etl.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Sample:
    """Explanations as Markdown with masked values, and how the largest profile hangs together."""

    markdown: str
    largest_profile_id: str | None
    largest_profile: int  # identifiers
    bridges: int  # of the largest profile, those that part more than one identifier


def sample_explanation(warehouse: Warehouse, n: int = 3, seed: str = "sample") -> Sample:
    """Explain `n` profiles of several identifiers, the same ones for the same seed and the same profiles."""
    rows = warehouse.execute(
        "select profile_id from identity.profile_identifiers group by profile_id having count(distinct node_id) > 1"
        " order by md5(profile_id || ?), profile_id limit ?",
        [seed, n],
    )
    told = [markdown(explained(explain(warehouse, Found(str(profile))))) for (profile,) in rows]
    large = next(iter(largest(warehouse, 0, 1)), None)
    return Sample(
        "\n\n".join(told) or "nobody has more than one identifier",
        large.profile_id if large else None,
        large.node_count if large else 0,
        len(large.bridges) if large else 0,
    )
