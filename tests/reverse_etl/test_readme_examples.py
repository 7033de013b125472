"""The README's examples are run, and its lists are the folders."""

import importlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

import reverse_etl
from reverse_etl import testing
from reverse_etl.journal import TABLES
from reverse_etl.read_back import tells
from reverse_etl.run import run_sync
from reverse_etl.sync import Sync, load_sync
from reverse_etl.triggers import tables as triggers

FOLDER = Path(reverse_etl.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
PARTS = re.findall(r"```yml\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


class Newsletter(BaseHTTPRequestHandler):
    def do_POST(self):
        people = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for person in people:
            if self.path == "/members/add":
                self.server.members[person["email"]] = person
            else:
                self.server.members.pop(person["email"], None)
        body = b'{"failed": {}}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Newsletter) as server:
        server.members = {}
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def declared(tmp_path):
    """The README's sync, in a file of the name its first line says."""
    [text] = YAML
    file = tmp_path / re.match(r"# syncs/(\S+)", text)[1]
    file.write_text(text)
    return load_sync(file)


def test_the_example_sync_runs(warehouse, declared, cdp_home):
    warehouse.execute("create schema audiences")
    warehouse.execute("create schema profiles")
    warehouse.execute(
        "create table audiences.lapsed_buyers as select 'p1' as profile_id, 'Ann' as first_name, "
        "cast('2026-01-02 03:04:05' as timestamp) as last_order_at"
    )
    warehouse.execute(
        "create table profiles.consents as "
        "select 'p1' as profile_id, 'marketing' as purpose, 'post' as channel, true as is_granted"
    )

    assert run_sync(warehouse, declared, gate="ignored").state == "succeeded"

    [_, line] = (cdp_home / "exports/letters/members.csv").read_text().splitlines()
    assert line.endswith(",p1,Ann,2026-01-02T03:04:05Z")


@pytest.mark.parametrize("part", PARTS)
def test_the_parts_of_a_sync_load(part):
    base = {"audience": "vip", "destination": "sandbox", "purpose": "marketing", "channel": "email"}
    assert Sync.model_validate({**base, "fields": {"email": "email"}, **yaml.safe_load(part)})


def test_the_example_destination_conforms(declared, server):
    source, its_test = PYTHON
    words = {"check": testing.check}
    exec(source, words)  # noqa: S102 — our own README
    exec(its_test, words)  # noqa: S102
    address = f"http://127.0.0.1:{server.server_address[1]}"
    destination = words["Destination"](declared.model_copy(update={"options": {"url": address}}))

    words["test_it_conforms"](destination, server)


def test_the_lists_of_the_readme_are_the_folders():
    listed = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    files = {f.stem for f in (FOLDER / "destinations").glob("*.py")} - {"__init__"}
    assert listed == files | set(TABLES) | set(triggers.COLUMNS)


def test_what_drift_can_tell_is_what_the_code_tells():
    section = README.split("### What `drift` can tell")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, re.MULTILINE))
    files = {f.stem for f in (FOLDER / "destinations").glob("*.py")} - {"__init__"}
    modules = {name: importlib.import_module(f"reverse_etl.destinations.{name}") for name in files}
    told = {name: str(tells(module.Destination)) for name, module in modules.items()}

    assert listed == told


def test_every_destination_is_a_small_file_with_a_conformance_test():
    for file in (FOLDER / "destinations").glob("*.py"):
        if file.stem != "__init__":
            assert file.read_text().count("\n") <= 120
            its_test = Path(__file__).parent / "destinations" / f"test_{file.stem}.py"
            assert re.search(r"^    check\(", its_test.read_text(), re.MULTILINE), file.stem


def test_what_is_said_to_prove_it_is_there():
    root = FOLDER.parent
    tests = re.findall(r"\btests/\S+", README)
    benchmarks = re.findall(r"-m (tests\.\S+)", README)

    assert len(tests) > 4
    assert benchmarks
    for name in [*tests, *(f"{module.replace('.', '/')}.py" for module in benchmarks)]:
        assert (root / name.strip("`)")).exists(), name
