import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.conform import engine
from sources.reading import faults_named, format_of, rows_of
from sources.refusals import BadFile

ENGINE = engine()
SECRET = "jane.roe@example.org"  # stands for any personal value: no message may quote it


def read(path):
    rows = rows_of(path, frozenset(), ENGINE)
    return [dict(zip(["n", *rows.names], row, strict=True)) for row in ENGINE.execute(rows.query).fetchall()]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", f"id,email,city\n1,x,York\n2,{SECRET}\n", "line 3: expected 3 columns, found 2"),
        ("a.csv", f"id,email\n1,{SECRET},x\n", "line 2: expected 2 columns, found 3"),
        ("a.csv", f'id,email\n1,"{SECRET}\n', "line 2: a quoted value is not closed"),
        ("a.csv", f"id,email\n1,{SECRET}\xe9\n".encode("latin-1"), "line 2: the text is not UTF-8"),
        ("a.csv", f"id,{SECRET}\xe9\n1,2\n".encode("latin-1"), "line 1: the text is not UTF-8"),
        ("a.csv", "", "line 1: there is no header"),
        ("a.csv", "id,id\n1,2\n", "line 1: the header names a column twice"),
        ("a.jsonl", f'{{"id": 1}}\n\n{{"email": "{SECRET}"\n', "line 3: not JSON at character"),
        ("a.jsonl", f'{{"id": 1}}\n["{SECRET}"]\n', "line 2: expected a JSON object"),
        ("a.jsonl", f'{{"id": 1}}\n{{"e": "{SECRET}\xe9"}}\n'.encode("latin-1"), "line 2: the text is not UTF-8"),
        ("a.jsonl", f'{{"id": 1}}{{"email": "{SECRET}"}}\n', "line 1: not JSON at character"),
        ("a.csv.gz", gzip.compress(f"id,email\n1,{SECRET}\n".encode() * 500, mtime=0)[:60], "gzip"),
        ("a.jsonl.gz", gzip.compress(f'{{"email":"{SECRET}"}}\n'.encode() * 500, mtime=0)[:60], "gzip"),
        ("a.parquet", f"PAR1{SECRET}", "not a readable parquet file"),
    ],
)
def test_a_bad_file_is_refused_with_line_and_fault_but_never_its_content(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadFile, match=said) as refusal, faults_named("crm", "contacts", name, path):
        read(path)
    message = str(refusal.value)
    assert message.startswith(f"crm.contacts: {name}: ")
    assert "repair or remove the file" in message
    assert SECRET not in message
    assert refusal.value.__cause__ is None


# NUL can't be in text, and a line break alone is csv's own business
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6), delimiter=st.sampled_from(",;\t|"))
@settings(max_examples=80, deadline=None)
def test_what_a_csv_writer_wrote_is_read_back(tmp_path_factory, rows, delimiter):
    """Quotes, delimiters and line breaks within values included; an empty value is null."""
    path = tmp_path_factory.mktemp("t") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([("a", "b", "c"), *rows])
    found = [(row["a"], row["b"], row["c"]) for row in read(path)]
    assert found == [tuple(cell or None for cell in row) for row in rows]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_byte_order_mark_and_blank_lines_do_not_matter(tmp_path, ends):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + ends.join(["id,name", "1,Ann", "", "2,", ""]).encode())
    assert read(path) == [{"n": 1, "id": "1", "name": "Ann"}, {"n": 2, "id": "2", "name": None}]


def test_gzipped_files_are_read_as_they_are(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1}\n'))
    assert read(tmp_path / "a.csv.gz") == read(tmp_path / "a.jsonl.gz") == [{"n": 1, "id": "1"}]


def test_parquet_is_read_with_nested_values_as_json_text(tmp_path):
    table = pa.table({"Id": [1, 2], "tags": [["a"], None], "who": [{"name": "Ann"}, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert (first["id"], json.loads(first["tags"]), json.loads(first["who"])) == ("1", ["a"], {"name": "Ann"})
    assert (second["tags"], second["who"]) == (None, None)


def test_json_keys_of_any_spelling_are_found(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"a/b": 1, "c~d": 2, "it's": 3, 'say "x"': 4, "": 5}) + "\n")
    assert sorted(str(value) for key, value in read(path)[0].items() if key != "n") == ["1", "2", "3", "4", "5"]


def test_data_written_as_column_names_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({f"user {number}": 1 for number in range(600)}) + "\n")
    with pytest.raises(BadFile, match="600 column names, at most 500"):
        read(path)


def test_the_ending_tells_the_format():
    assert [format_of(name) for name in ("a.CSV", "a.jsonl.gz", "a.parquet", "a.xlsx", "csv")] == [
        "csv",
        "jsonl",
        "parquet",
        None,
        None,
    ]
