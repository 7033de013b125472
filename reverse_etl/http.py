"""The push client: certain about what was not sent, honest about what may have been."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx

from reverse_etl.destination import NoAnswer, NotSent, Request, Response, Transport

Sign = Callable[[Request], Mapping[str, str]]


def unsigned(_: Request) -> Mapping[str, str]:
    return {}


@contextmanager
def connect(address: str, *, sign: Sign = unsigned, timeout_seconds: float = 30) -> Iterator[Transport]:
    """Open a transport to `address`; `sign` adds headers when sending. Redirects are not followed."""
    with httpx.Client(base_url=address, timeout=timeout_seconds, trust_env=False) as client:

        def send(request: Request) -> Response:
            headers = {"content-type": "application/json", **request.headers, **sign(request)}
            try:
                answer = client.request(request.method, request.path, content=request.body, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise NotSent(type(error).__name__) from error
            except httpx.TransportError as error:
                raise NoAnswer(type(error).__name__) from error
            return Response(answer.status_code, answer.content, {k.lower(): v for k, v in answer.headers.items()})

        yield send
