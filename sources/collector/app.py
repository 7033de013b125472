"""The ASGI application: finds the route, answers, and turns everything that goes wrong into a typed answer."""

from collections.abc import Awaitable, Callable
from time import monotonic, perf_counter
from typing import Any

from sources.collector import openapi
from sources.collector.answers import PREFLIGHT, SUCCESS, Answer, Headers, cors, refusal
from sources.collector.body import Receive
from sources.collector.call import Call
from sources.collector.deduplication import Memory
from sources.collector.intake import Intake
from sources.collector.metrics import Metrics, Shared
from sources.collector.pressure import InFlight
from sources.collector.refusal import Gone, Refusal
from sources.collector.routes import ROUTES, Route, Router
from sources.collector.senders import Senders
from sources.collector.settings import Settings
from sources.collector.taken import Log
from sources.collector.telling import tell_error
from sources.collector.webhook import Hooks
from sources.log.refusals import LogBusy, LogFull, LogRefused

Send = Callable[[dict[str, Any]], Awaitable[None]]
SUCCESS_START, SUCCESS_BODY = SUCCESS.messages([])
BUSY_SECONDS, FULL_SECONDS, FAILED_SECONDS = 1, 30, 5
ILL_SECONDS = 10.0  # how long /healthz speaks of a refusal: without traffic nothing tries again


class Collector:
    """One worker's application."""

    def __init__(
        self, settings: Settings, log: Log, memory: Memory, worker: str = "w0", shared: Shared | None = None
    ) -> None:
        self.settings = settings
        self.log = log
        self.memory = memory
        self.worker = worker
        self.shared = shared
        self._fault, self._fault_until = "", 0.0
        self.senders = Senders(settings)
        self.hooks = Hooks(settings)
        self.intake = Intake(settings.limits, memory)
        self.in_flight = InFlight(settings.limits.in_flight)
        self.metrics = Metrics()
        self.kinds = {route.path: route.kind for route in ROUTES if route.kind}
        self.document = openapi.document()
        self._router = Router()
        self._sites = self.senders.sites

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        began = perf_counter()
        route, name = self._router.find(scope["method"], scope["path"])
        call = Call.of(scope, receive, name)
        answer = await self._answer(route, call, scope["method"])
        if answer is None:
            return
        self.metrics.answered(answer.status, perf_counter() - began)
        origin = call.origin
        if answer is SUCCESS and origin is None:
            await send(SUCCESS_START)
            await send(SUCCESS_BODY)
            return
        start, body = answer.messages(self.cors(origin))
        await send(start)
        await send(body)

    async def _answer(self, route: Route | None, call: Call, method: str) -> Answer | None:
        try:
            if route is None:
                return self._without_route(call, method)
            return await route.handler(self, call)
        except Gone:
            return None
        except Exception as error:  # noqa: BLE001 - the last line of defence: the kit sends it again
            answer = self.refused(error)
            error.__traceback__ = None  # its frames hold the request, and one of them holds it: nothing would let go
            return answer

    def refused(self, error: Exception) -> Answer:
        """Refusals of a request are answered; nothing of what it holds is ever in an answer or in a log line."""
        if isinstance(error, Refusal):
            return refusal(error.status, error.code, error.retry_after)
        if isinstance(error, LogRefused):
            return self._log_refused(error)
        tell_error("request_failed", error)
        return refusal(500, "internal")

    def cors(self, origin: bytes | None) -> Headers:
        return cors(origin, self._sites)

    @property
    def log_fault(self) -> str:
        """Why the log refused something a moment ago, or nothing."""
        return self._fault if monotonic() < self._fault_until else ""

    def is_well(self) -> None:
        self._fault_until = 0.0

    def _log_refused(self, error: LogRefused) -> Answer:
        if isinstance(error, LogBusy):
            return refusal(429, "log_busy", BUSY_SECONDS)
        is_full = isinstance(error, LogFull)
        self._fault, self._fault_until = "log_full" if is_full else "log_failed", monotonic() + ILL_SECONDS
        return refusal(503, self._fault, FULL_SECONDS if is_full else FAILED_SECONDS)

    def _without_route(self, call: Call, method: str) -> Answer:
        allowed = self._router.allowed(call.path)
        if not allowed:
            return refusal(404, "no_such_route")
        if method == "OPTIONS":
            return Answer(204, headers=PREFLIGHT)
        answer = refusal(405, "method_not_allowed")
        answer.headers.append((b"allow", ", ".join([*allowed, "OPTIONS"]).encode()))
        return answer
