"""How a declared destination is asked who is there: all members, page by page, or only how many."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from reverse_etl.destination import Request, Response, Scalar
from reverse_etl.http_answer import at
from reverse_etl.http_place import Below
from reverse_etl.read_back import Tells
from reverse_etl.sync import Name
from reverse_etl.template import render_path


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Below
    at: str  # a JSON pointer

    def asked(self, scope: Mapping[str, Any]) -> Request:
        return Request(render_path(self.path, scope), b"", "GET")


class Size(_Question):
    """Where to ask how many members there are, or how many of those sent were matched."""

    counts: Literal["members", "matched"] = "members"

    @property
    def tells(self) -> Tells:
        return Tells.MATCHED if self.counts == "matched" else Tells.SIZE

    def read(self, response: Response) -> int:
        return int(at(response.json(), self.at))


class Members(_Question):
    """Where to ask for a list of members, and where in each of them its identifiers are.

    `next` points to what leads to the next page: an address that differs in its query, or with `cursor`, a word for
    that part of the query.
    """

    identifiers: dict[Name, str] = Field(min_length=1)
    next: str = ""
    cursor: str = ""

    def read(self, response: Response) -> Iterator[Mapping[str, Scalar]]:
        for member in at(response.json(), self.at):
            yield known_as({name: at(member, pointer) for name, pointer in self.identifiers.items()})

    def more(self, asked: Request, response: Response) -> Request | None:
        try:
            following = at(response.json(), self.next) if self.next else None
        except LookupError:
            return None  # the last page leads nowhere
        if not following:
            return None
        url = urlsplit(asked.path)
        query = urlsplit(str(following)).query  # and nothing else of it: the secret goes nowhere but where we asked
        if self.cursor:
            query = urlencode({**dict(parse_qsl(url.query)), self.cursor: following})
        return Request(f"{url.path}?{query}", b"", "GET")


def known_as(identifiers: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """Name a member as any API may, in another case and in text."""
    return {name: str(value).lower() for name, value in identifiers.items()}
