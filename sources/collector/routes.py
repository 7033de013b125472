"""Every route, declared once: the router and the OpenAPI document are made of this."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sources.collector import receiving
from sources.collector.answers import Answer
from sources.collector.call import Call

if TYPE_CHECKING:
    from sources.collector.app import Collector

Handler = Callable[["Collector", Call], Awaitable[Answer]]
Body = Literal["event", "batch", "webhook", "nothing"]


@dataclass(frozen=True)
class Route:
    """One way in. `{name}` in the path is left open."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: Body = "nothing"
    kind: str | None = None
    query: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)


TAKEN = (200, 400, 401, 404, 408, 413, 429, 503)
SHORT = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}


def of_events() -> tuple[Route, ...]:
    return tuple(
        Route("POST", f"/v1/{path}", receiving.single, f"One {kind} call.", "event", kind, statuses=TAKEN)
        for kind, short in SHORT.items()
        for path in (kind, short)
    )


ROUTES = (
    *of_events(),
    *(
        Route("POST", f"/v1/{path}", receiving.batch, "A batch of calls.", "batch", statuses=TAKEN)
        for path in ("batch", "b", "import")
    ),
)
