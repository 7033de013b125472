"""What is expected of a table at a border: `expectations/<schema>.<table>.yml`, read and checked."""

import hashlib
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reverse_etl.warehouse import IDENTIFIER

FOLDER = Path(__file__).parents[1] / "expectations"

Severity = Literal["critical", "warning"]
Bound = int | float | datetime | date | Literal["now"]

# The expectations a suite may use, with the fields each needs. All of them are answered by counts;
# others (a maximum, a most common value) would carry a value of the data into the verdict, and
# ExpectCompoundColumnsToBeUnique passes any duplicate when the batch is a query.
NEEDS: dict[str, set[str]] = {
    "ExpectColumnValuesToNotBeNull": {"column"},
    "ExpectColumnValuesToBeUnique": {"column"},
    "ExpectColumnValuesToBeBetween": {"column"},
    "ExpectColumnValuesToBeInSet": {"column", "value_set"},
    "ExpectColumnValuesToMatchRegex": {"column", "regex"},
    "ExpectColumnValuesToNotMatchRegex": {"column", "regex"},
    "ExpectColumnValueLengthsToEqual": {"column", "value"},
    "ExpectTableRowCountToBeBetween": set(),
    "UnexpectedRowsExpectation": {"unexpected_rows_query"},
}
BOUNDED = {"ExpectColumnValuesToBeBetween", "ExpectTableRowCountToBeBetween"}
WITHOUT_MOSTLY = {"ExpectTableRowCountToBeBetween", "UnexpectedRowsExpectation"}
OPENING = "select 1 as found from batch"


class BadSuite(ValueError):
    """A file in `expectations/` can't be used; the message says which, where and what to write."""


class Expectation(BaseModel):
    """One expectation by the name Great Expectations gives it, and why we hold it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expect: str
    why: str = Field(min_length=1)
    severity: Severity = "critical"
    column: str | None = None
    mostly: float | None = Field(default=None, gt=0, lt=1)
    min_value: Bound | None = None
    max_value: Bound | None = None
    value: int | None = None
    value_set: tuple[str | int | bool, ...] | None = None
    regex: str | None = None
    unexpected_rows_query: str | None = None

    @field_validator("unexpected_rows_query")
    @classmethod
    def _asks_for_no_values(cls, query: str | None) -> str | None:
        text = " ".join((query or OPENING).split())
        if not text.startswith(OPENING) or "?" in text or ";" in text:
            raise ValueError(f"write it as `{OPENING} where …`, without `?` and `;`: rows are counted, not fetched")
        return query and text

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.expect not in NEEDS:
            raise ValueError(f"expect: {self.expect!r} is not one of {', '.join(NEEDS)}")
        given = self.arguments().keys()
        bounds = {"min_value", "max_value"} if self.expect in BOUNDED else set()
        allowed = NEEDS[self.expect] | bounds | (set() if self.expect in WITHOUT_MOSTLY else {"mostly"})
        if missing := NEEDS[self.expect] - given:
            raise ValueError(f"{self.expect} needs {', '.join(sorted(missing))}")
        if bounds and not bounds & given:
            raise ValueError(f"{self.expect} needs min_value, max_value or both")
        if surplus := given - allowed:
            raise ValueError(f"{self.expect} has no {', '.join(sorted(surplus))}")
        return self

    def arguments(self) -> dict[str, Any]:
        """Give what is handed to the expectation: the fields that are set, minus what is ours."""
        return self.model_dump(exclude_none=True, exclude={"expect", "why", "severity"})

    def subject(self) -> str:
        """Name the column it looks at, or the whole table."""
        return self.column or "(table)"

    def bounds_at(self, now: datetime) -> dict[str, Any]:
        """`arguments()` with days as moments; `now` is a day ahead, because clocks of others run ahead."""
        bounds = {"min_value": _moment(self.min_value, now), "max_value": _moment(self.max_value, now)}
        return {name: bounds.get(name, value) for name, value in self.arguments().items()}


def _moment(bound: Bound | None, now: datetime) -> int | float | datetime | None:
    if isinstance(bound, str):
        return now + timedelta(days=1)
    if isinstance(bound, date) and not isinstance(bound, datetime):
        return datetime.combine(bound, datetime.min.time())
    return bound


class Suite(BaseModel):
    """The expectations of one table, which batch of it they are about, and who answers for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str  # <schema>.<table>: the file's name, never written in the file
    owner: str = Field(min_length=1)
    description: str = Field(min_length=1)
    batch: Literal["load", "table"]
    expectations: tuple[Expectation, ...] = Field(min_length=1)

    @field_validator("table")
    @classmethod
    def _names_schema_and_table(cls, table: str) -> str:
        if len(parts := table.split(".")) != 2 or not all(map(IDENTIFIER.fullmatch, parts)):  # noqa: PLR2004
            raise ValueError("name the file <schema>.<table>.yml, in lower case")
        return table

    @property
    def schema_name(self) -> str:
        return self.table.split(".")[0]

    @property
    def content_hash(self) -> str:
        """Changes when a verdict could: not with the owner, the description or a reason."""
        judged = [item.model_dump(mode="json", exclude_none=True, exclude={"why"}) for item in self.expectations]
        return hashlib.sha256(json.dumps([self.batch, judged], sort_keys=True).encode()).hexdigest()[:16]


def load_suite(path: Path) -> Suite:
    """Read one file. Raises `BadSuite` with every fault in it."""
    try:
        declared = yaml.safe_load(path.read_text())
        if not isinstance(declared, dict) or "table" in declared:
            raise BadSuite(f"{path.name}: write owner, description, batch and expectations; the file name is the table")
        return Suite(table=path.stem, **_with_default_severity(declared))
    except yaml.YAMLError as error:
        raise BadSuite(f"{path.name}: not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise BadSuite(f"{path.name}: {faults}") from error


def _with_default_severity(declared: dict[str, Any]) -> dict[str, Any]:
    """Give the file's `severity` to every expectation that names none."""
    rest = {key: value for key, value in declared.items() if key != "severity"}
    items = rest.get("expectations")
    if "severity" in declared and isinstance(items, list):
        default = {"severity": declared["severity"]}
        rest["expectations"] = [default | item if isinstance(item, dict) else item for item in items]
    return rest


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in location) or "file"


def all_suites(schema: str | None = None, folder: Path = FOLDER) -> list[Suite]:
    """Every suite, or those of one schema; the folder is the registry."""
    return [load_suite(path) for path in sorted(folder.glob(f"{schema or '*'}.*.yml"))]


def suite_of(table: str, folder: Path = FOLDER) -> Suite:
    """Find the suite of `<schema>.<table>`. Raises `BadSuite` when there is none."""
    path = folder / f"{table}.yml"
    if not path.exists():
        raise BadSuite(f"{table} has no gate: {folder.name}/ holds {', '.join(p.stem for p in folder.glob('*.yml'))}")
    return load_suite(path)
