"""The rules of the tree: who may import whom, which stage may read which, and that the folder is the registry."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("sources", "reverse_etl", "dagster_cdp")
STAGES = ("raw", "staging", "identity", "profiles", "audiences")
FORBIDDEN = {
    "sources": {"reverse_etl", "dagster_cdp", "dagster", "dagster_dbt", "dbt", "great_expectations"},
    "reverse_etl": {"sources", "dagster_cdp", "dagster", "dagster_dbt", "dbt", "great_expectations", "dlt"},
    "dagster_cdp": set(),
}
TOP_LEVEL = {
    "pyproject.toml", "README.md", "workspace.yaml", "dagster_cdp", "dbt_project", "sources", "reverse_etl",
    "tests", "LICENSE", "CHANGELOG.md", "requirements.lock",
}  # fmt: skip


def python_files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported_by(file: Path) -> set[str]:
    """The top-level names a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package):
    """Sources and reverse_etl know neither each other nor the orchestrator."""
    for file in python_files(package):
        assert not imported_by(file) & FORBIDDEN[package], file.relative_to(ROOT)


def test_one_module_imports_great_expectations():
    users = [f.name for f in python_files("dagster_cdp") if "great_expectations" in imported_by(f)]
    assert len(users) == 1


def test_a_model_reads_only_its_own_stage_or_those_to_its_left(manifest):
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["schema"] == "ops":
            continue
        own = STAGES.index(node["schema"])
        for parent in node["depends_on"]["nodes"]:
            upstream = manifest["nodes"].get(parent) or manifest["sources"][parent]
            if upstream["resource_type"] == "seed":
                continue
            assert STAGES.index(upstream["schema"]) <= own, f"{node['name']} reads {upstream['name']}"


def test_only_staging_reads_raw(manifest):
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and any(p.startswith("source.") for p in node["depends_on"]["nodes"]):
            assert node["schema"] in {"staging", "ops"}, node["name"]


def test_every_model_and_column_is_described(manifest):
    silent = [
        f"{node['name']}.{column['name']}" if column else node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        for column in [None, *node["columns"].values()]
        if not (column or node)["description"]
    ]
    assert silent == []


def test_columns_named_like_personal_data_carry_a_tag(manifest):
    personal = re.compile(r"^(email|phone|first_name|last_name|full_name|birth_on|address_line)$")
    untagged = [
        f"{node['name']}.{name}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        for name, column in node["columns"].items()
        if personal.match(name) and "pii" not in column["config"].get("meta", {})
    ]
    assert untagged == []


def test_public_models_have_a_contract_and_an_owner(manifest):
    public = [n for n in manifest["nodes"].values() if n["config"].get("access") == "public"]
    assert {n["name"] for n in public if n["schema"] == "audiences"} == {
        f.stem for f in (ROOT / "dbt_project/models/audiences").glob("*.sql")
    }
    for node in public:
        assert node["config"]["contract"]["enforced"], node["name"]
        assert node["config"]["meta"].get("owner"), node["name"]


def test_the_folder_is_the_registry():
    """A connector, a sync, a destination and a gate exist because their file does."""
    from dagster_cdp.expect import all_suites
    from reverse_etl.sync import all_syncs
    from sources.source import all_sources

    assert [s.name for s in all_sources()] == sorted(
        f.stem for f in (ROOT / "sources/connectors").glob("*.py") if f.stem != "__init__"
    )
    assert [s.name for s in all_syncs()] == sorted(f.stem for f in (ROOT / "reverse_etl/syncs").glob("*.yml"))
    assert [s.table for s in all_suites()] == sorted(f.stem for f in (ROOT / "dagster_cdp/expectations").glob("*.yml"))


def test_nothing_else_stands_at_the_top():
    visible = {name.split("/")[0] for name in tracked() if not name.startswith(".")}
    assert visible == TOP_LEVEL


def test_files_and_functions_stay_small():
    """A file of 250 lines or a function of 40 is read in one go; longer ones are split."""
    for package in PACKAGES:
        for file in python_files(package):
            text = file.read_text()
            assert text.count("\n") <= 250, file
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno - node.lineno < 40, f"{file}:{node.name}"
    for model in (ROOT / "dbt_project/models").rglob("*.sql"):
        assert model.read_text().count("\n") <= 100, model


def test_every_python_file_says_its_purpose():
    for package in PACKAGES:
        for file in python_files(package):
            assert ast.get_docstring(ast.parse(file.read_text())), file


def test_no_vague_names():
    vague = {"utils", "helpers", "manager", "base", "common", "misc"}
    for name in tracked():
        assert not vague & {Path(part).stem for part in name.split("/")}, name


def test_the_lock_records_no_addresses():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--" not in lock


@pytest.fixture(scope="module")
def manifest():
    from dagster_cdp import dbt

    return json.loads(dbt.project().manifest_path.read_text())
