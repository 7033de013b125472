"""Who is excluded from which sync, and which syncs stand in an order, are files."""

import pytest

from reverse_etl.policy import policy_of
from reverse_etl.sync import BadDeclaration, find_sync


def test_policies_are_files(tmp_path):
    syncs = tmp_path / "syncs"
    policies = tmp_path / "policies"
    syncs.mkdir(), policies.mkdir()
    for audience in ("a", "b", "c"):
        (syncs / f"{audience}_to_x.yml").write_text(
            f"audience: {audience}\ndestination: x\npurpose: marketing\nchannel: email\nfields: {{email: email}}\n"
        )
    (policies / "staff.yml").write_text("exclude: [staff]")
    (policies / "only.yml").write_text("exclude: [minors]\nsyncs: [a_to_x]")
    (policies / "order.yml").write_text("priority: [a_to_x, b_to_x, c_to_x]")

    def read(audience):
        return policy_of(find_sync(f"{audience}_to_x", syncs), policies, syncs)

    assert read("a").exclude == ("minors", "staff")
    found = read("b")
    assert (found.exclude, [s.name for s in found.higher], found.lower) == (("staff",), ["a_to_x"], ("c_to_x",))
    for text, reason in (
        ("exclude: []", "exclude or priority"),
        ("priority: [a, a]", "twice"),
        ("x: [", "YAML"),
        ("exclude: [minors]\nsyncs: [aa_to_x]", "bad.yml: no sync 'aa_to_x': there are a_to_x, b_to_x, c_to_x"),
        ("priority: [b_to_x, d_to_x]", "no sync 'd_to_x'"),
    ):
        (policies / "bad.yml").write_text(text)
        with pytest.raises(BadDeclaration, match=reason):
            read("a")
