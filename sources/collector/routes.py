"""Every route, declared once: the router and the OpenAPI document are made of this."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sources.collector import receiving, serving
from sources.collector.answers import Answer
from sources.collector.call import Call

if TYPE_CHECKING:
    from sources.collector.app import Collector

Handler = Callable[["Collector", Call], Awaitable[Answer]]
Body = Literal["event", "batch", "webhook", "anything", "nothing"]


@dataclass(frozen=True)
class Route:
    """One way in. `{name}` in the path is one part that is left open."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    summary: str
    body: Body = "nothing"
    kind: str | None = None
    query: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    content_type: str = "application/json"


TAKEN = (200, 400, 401, 403, 404, 408, 413, 429, 503)
SHORT = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}
PIXEL = ("data", "writeKey", "event", "name", "userId", "anonymousId")

EVENTS = tuple(
    Route("POST", f"/v1/{path}", receiving.events, f"One {kind} call.", "event", kind, statuses=TAKEN)
    for kind, short in SHORT.items()
    for path in (kind, short)
)
BATCHES = tuple(
    Route("POST", f"/v1/{path}", receiving.events, "Calls in a batch.", "batch", statuses=TAKEN)
    for path in ("batch", "b", "import")
)
PIXELS = tuple(
    Route(
        "GET", f"/pixel/v1/{kind}", receiving.pixel, f"One {kind} call from an image's address.",
        kind=kind, query=PIXEL, statuses=(200, 401, 403, 404, 429, 503), content_type="image/gif",
    )
    for kind in ("track", "page")
)  # fmt: skip
SETTINGS = tuple(
    Route("GET", path, serving.settings, "What analytics.js asks for before it sends.", statuses=(200, 404))
    for path in ("/v1/projects/{key}/settings", "/projects/{key}/settings")
)
STATE = tuple(
    Route("GET", path, serving.health, "Whether events can be taken.", statuses=(200, 503))
    for path in ("/health", "/healthz")
)

ROUTES = (
    *EVENTS,
    *BATCHES,
    Route(
        "POST", "/beacon/v1/batch", receiving.events, "A batch by sendBeacon, which sends no headers.",
        "batch", query=("writeKey",), statuses=TAKEN,
    ),
    *PIXELS,
    *SETTINGS,
    *STATE,
    Route("POST", "/v1/m", serving.discard, "Measurements kits make of themselves; thrown away.", "anything"),
    Route("POST", "/webhooks/{name}", receiving.webhook, "A signed delivery.", "webhook", statuses=TAKEN),
    Route("GET", "/snippet.js", serving.snippet, "The script for pages.", content_type="text/javascript"),
    Route(
        "GET", "/metrics", serving.metrics, "Counters, for Prometheus.", statuses=(200, 403), content_type="text/plain"
    ),
    Route("GET", "/openapi.json", serving.openapi, "This document."),
    Route("GET", "/robots.txt", serving.robots, "Nothing here for crawlers.", content_type="text/plain"),
)  # fmt: skip


class Router:
    """Finds the route of a path, and the part of it that was left open."""

    def __init__(self) -> None:
        self._fixed: dict[tuple[str, str], Route] = {(r.method, r.path): r for r in ROUTES if "{" not in r.path}
        self._open = [(route, *ends(route.path)) for route in ROUTES if "{" in route.path]

    def find(self, method: str, path: str) -> tuple[Route | None, str]:
        """Return it also for the head of what is only read: load balancers ask for that; a pixel takes an event."""
        if method == "HEAD":
            route, name = self.find("GET", path)
            return (None, "") if route is None or route.handler is receiving.pixel else (route, name)
        if route := self._fixed.get((method, path)):
            return route, ""
        for route, begin, end in self._open:
            if route.method == method and (name := middle(path, begin, end)):
                return route, name
        return None, ""

    def allowed(self, path: str) -> list[str]:
        """Return the methods this path has; none: no such path."""
        return [method for method in ("GET", "HEAD", "POST") if self.find(method, path)[0]]


def ends(path: str) -> tuple[str, str]:
    begin, _, rest = path.partition("{")
    return begin, rest.partition("}")[2]


def middle(path: str, begin: str, end: str) -> str:
    if not path.startswith(begin) or not path.endswith(end):
        return ""
    name = path[len(begin) : len(path) - len(end)]
    return "" if "/" in name else name
