"""The push client: certain about what was not sent, honest about what may have been."""

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial

import httpx

from reverse_etl.destination import NoAnswer, NotSent, Request, Response, Transport
from reverse_etl.kept_open import once
from reverse_etl.public_address import PinnedTransport, Resolve, system

Sign = Callable[[Request], Mapping[str, str]]

MOST_BYTES = 32_000_000  # of one answer

# Its lines quote whole addresses, and the address of some webhooks is their secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


def unsigned(_: Request) -> Mapping[str, str]:
    return {}


@contextmanager
def connect(
    address: str,
    *,
    sign: Sign = unsigned,
    timeout_seconds: float = 30,
    most_bytes: int = MOST_BYTES,
    only_public: bool = False,
    resolve: Resolve = system,
) -> Iterator[Transport]:
    """Open a transport to `address`; `sign` adds headers when sending. Redirects are not followed.

    An answer longer than `most_bytes`, or dripping in for more than `timeout_seconds`, counts as none.
    `only_public` is for addresses that somebody else may have chosen: see public_address.py.
    """
    pinned = (address, resolve) if only_public else None
    with (
        once((address, pinned), partial(_opened, pinned)) as opened,
        httpx.Client(base_url=address, transport=_Lent(opened), timeout=timeout_seconds, trust_env=False) as client,
    ):

        def send(request: Request) -> Response:
            # Unpacked, a small answer could be any size: none is asked for packed, and none is unpacked.
            headers = {
                "content-type": "application/json",
                "accept-encoding": "identity",
                **request.headers,
                **sign(request),
            }
            try:
                with client.stream(request.method, request.path, content=request.body, headers=headers) as answer:
                    content = _read(answer, most_bytes, time.monotonic() + timeout_seconds)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise NotSent(type(error).__name__) from error
            except httpx.TransportError as error:
                raise NoAnswer(type(error).__name__) from error
            return Response(answer.status_code, content, {k.lower(): v for k, v in answer.headers.items()})

        yield send


def _opened(pinned: tuple[str, Resolve] | None) -> httpx.BaseTransport:
    plain = httpx.HTTPTransport(verify=_trust(), trust_env=False)
    return PinnedTransport(plain, *pinned) if pinned else plain


class _Lent(httpx.BaseTransport):
    """A transport that others use too; cookies are the client's, so nobody sees another's."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.handle_request = transport.handle_request  # type: ignore[method-assign]


@cache
def _trust() -> ssl.SSLContext:
    """Whom to trust; to read the certificates takes 15 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _read(answer: httpx.Response, most_bytes: int, until: float) -> bytes:
    content = bytearray()
    for chunk in answer.iter_raw():
        content += chunk
        if len(content) > most_bytes or time.monotonic() > until:
            raise httpx.ReadError("the answer is too long")
    return bytes(content)
