"""The ASGI application: finds the route, answers, and turns everything that goes wrong into a typed answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from sources.collector.answers import PREFLIGHT, SUCCESS, Answer, cors, refusal
from sources.collector.body import Receive
from sources.collector.call import Call
from sources.collector.deduplication import Memory
from sources.collector.intake import Intake
from sources.collector.metrics import Metrics
from sources.collector.pressure import InFlight
from sources.collector.refusal import Gone, Refusal
from sources.collector.routes import ROUTES, Route
from sources.collector.senders import Senders
from sources.collector.settings import Settings
from sources.collector.taken import Log
from sources.log.refusals import LogBusy, LogRefused

Send = Callable[[dict[str, Any]], Awaitable[None]]
SUCCESS_START, SUCCESS_BODY = SUCCESS.messages([])


class Collector:
    """One worker's application."""

    def __init__(self, settings: Settings, log: Log, memory: Memory) -> None:
        self.settings = settings
        self.log = log
        self.memory = memory
        self.senders = Senders(settings)
        self.intake = Intake(settings.limits, memory)
        self.in_flight = InFlight(settings.limits.in_flight)
        self.metrics = Metrics()
        self.kinds = {route.path: route.kind for route in ROUTES if route.kind}
        self._fixed = {(route.method, route.path): route for route in ROUTES if "{" not in route.path}
        self._origins = frozenset(origin.encode() for sender in settings.sources.values() for origin in sender.origins)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        route = self._fixed.get((scope["method"], scope["path"]))
        call = Call(scope, receive)
        answer = await self._answer(route, call)
        if answer is None:
            return
        origin = call.origin
        if answer is SUCCESS and origin is None:
            await send(SUCCESS_START)
            await send(SUCCESS_BODY)
            return
        start, body = answer.messages(cors(origin, self._origins))
        await send(start)
        await send(body)

    async def _answer(self, route: Route | None, call: Call) -> Answer | None:
        try:
            if route is None:
                return self._without_route(call)
            return await route.handler(self, call)
        except Refusal as error:
            return refusal(error.status, error.code, error.retry_after)
        except LogBusy:
            return refusal(429, "log_busy", 1)
        except LogRefused:
            return refusal(503, "log_unavailable", 5)
        except Gone:
            return None

    def _without_route(self, call: Call) -> Answer:
        if call.scope["method"] == "OPTIONS":
            return Answer(204, headers=PREFLIGHT)
        return refusal(404, "no_such_route")
