"""CSV or Parquet in a folder of this machine or of an object store: who is in the audience, and how it came so.

Which files there are and when they are whole is told in audience_files.py. In a local folder they are readable by
their owner only. An operation is in the changes once, or twice, under the same operation_id, after several kills.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO

import duckdb

from reverse_etl.audience_files import OWN, AudienceFiles, Layout
from reverse_etl.columns import columns_of
from reverse_etl.destination import (
    Change,
    DestinationRefused,
    NoAnswer,
    Receipt,
    Request,
    Response,
    Scalar,
    Spec,
    Transport,
)
from reverse_etl.file_store import FileStore, open_folder
from reverse_etl.sync import BadDeclaration, Sync

FORMATS = ("csv", "parquet")


class Destination:
    """Options, with their defaults; members are found by the sync's key.

    `folder`: a path below CDP_HOME or absolute, or an address of fsspec such as s3://bucket/folder (exports/<sync>);
    credentials are the environment's. `format`: csv, or parquet, whose types are those of the sync's fields (csv).
    `keep_runs`: of how many runs changes are kept (100). `spreadsheets`: put ' before what a spreadsheet would run
    (false: it would spoil phone numbers for machines).
    """

    spec = Spec(batch_rows=50_000, batch_bytes=200_000_000)

    def __init__(self, sync: Sync) -> None:
        self._address = str(sync.options.get("folder") or f"exports/{sync.name}")
        self._columns = columns_of(sync, reserved=OWN)
        self._layout = Layout(
            format=str(sync.options.get("format", "csv")),
            keep_runs=int(sync.options.get("keep_runs", 100)),
            for_spreadsheets=bool(sync.options.get("spreadsheets", False)),
        )
        if self._layout.format not in FORMATS or self._layout.keep_runs < 1:
            message = f"options.format must be {' or '.join(FORMATS)}, options.keep_runs 1 or more"
            raise BadDeclaration(f"{sync.name}: {message}")

    def request(self, rows: Sequence[Change]) -> Request:
        fit, _ = self._columns.fitting(rows)
        body = [[row.operation_id, row.operation, row.member_id, *values] for row, values in fit]
        return Request(self._address, json.dumps(body).encode(), method="WRITE")

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        return self._columns.receipts(rows) if response.status == 200 else []  # noqa: PLR2004

    def read_back(self) -> Request:
        return Request(self._address, b"", method="READ")

    def held(self, response: Response) -> Iterator[Mapping[str, Scalar]]:
        """A line for each member."""
        for line in BytesIO(response.body):
            yield dict(zip(self._columns.keys, json.loads(line), strict=True))

    def known_as(self, identifiers: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        return {name: self._layout.safe(text) for name, text in self._columns.key_texts(identifiers).items()}

    @contextmanager
    def opened(self) -> Iterator[FileStore]:
        """Open the folder; places of other kinds differ in this alone."""
        yield open_folder(self._address)

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        with ExitStack() as stack:
            try:
                files = AudienceFiles(stack.enter_context(self.opened()), self._columns, self._layout)
                files.open()
            except OSError as error:
                raise DestinationRefused(f"{self._address} can't be used: {_reason(error)}") from error
            yield lambda request: _read(files) if request.method == "READ" else _written(files, request)


def _read(files: AudienceFiles) -> Response:
    try:
        return Response(200, "\n".join(map(json.dumps, files.keys())).encode())
    except (OSError, duckdb.Error) as error:
        raise NoAnswer(type(error).__name__) from error


def _written(files: AudienceFiles, request: Request) -> Response:
    """Write, and say in statuses of HTTP how it went."""
    try:
        files.apply(json.loads(request.body))
    except PermissionError:
        return Response(403)
    except FileNotFoundError:
        return Response(404)
    except ValueError:
        return Response(422)  # text that no file can hold: halved until its row stands alone
    except (OSError, duckdb.Error) as error:
        raise NoAnswer(type(error).__name__) from error
    return Response(200)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
