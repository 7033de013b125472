"""The README's examples are run as they stand there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sources.changes import Change
from sources.source import declared

README = (Path(__file__).parents[2] / "sources" / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_source_loads(town):
    (example,) = blocks("python")
    module = ModuleType("ratings")
    exec(compile(example, "README.md", "exec"), module.__dict__)  # noqa: S102 - our own page
    source = declared(module, "ratings")
    town.drop_rows("ratings/ratings/may.jsonl", {"id": 1, "stars": 5, "ratedAt": "2017-05-01T10:00:00Z"})
    assert town.load(source).rows == {"ratings": 1}
    assert town.rows("select id, stars from raw.ratings__ratings") == [("1", 5)]


def test_the_examples_of_configuration_mean_what_they_say(tmp_path):
    """dlt reads its files once per process, so one of our own asks which origin each source has."""
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("\n".join(blocks("toml")))
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "DLT_PROJECT_DIR": str(tmp_path), "SOURCES__CRM__API__TOKEN": "t"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout) == {
        "origins": ["Folder", "Database", "Api", "Folder"],
        "bucket": "s3://supplier/inbox",
        "charges": {"name": "charges", "schema": "public", "cursor": "updated_at"},
        "auth": {"type": "bearer", "token": "t"},
    }


ASK = """
import json
from sources.configuration import read_configuration
from sources.origins import origin_of
from sources.origins.pages import settings_of
from sources.source import load_source
import dlt
asked = [load_source(name) for name in ("shipping", "finance", "crm", "consent")]
found = [origin_of(source, read_configuration()) for source in asked]
print(json.dumps({
    "origins": [type(origin).__name__ for origin in found],
    "bucket": dlt.config.get("sources.shipping.bucket_url", str),
    "charges": settings_of(asked[1], "database", "tables")["payments"],
    "auth": found[2].client["auth"],
}))
"""


@pytest.mark.parametrize("word", ["integer", "money", "flag", "day", "moment", "nested", *Change])
def test_every_kind_of_column_and_of_change_is_explained(word):
    assert f"`{word}`" in README
