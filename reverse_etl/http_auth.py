"""How requests to a declared HTTP API say who sends them; a declaration names environment variables, never secrets."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, model_validator

from reverse_etl.destination import DestinationRefused, Request
from reverse_etl.environment import now
from reverse_etl.http import Sign, unsigned
from reverse_etl.signature import signed

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,99}$")]
Header = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeaderAuth(_Part):
    """A key in a header of its own."""

    name: Header
    secret: Variable
    prefix: str = ""


class BasicAuth(_Part):
    user: Variable
    password: Variable


class HmacAuth(_Part):
    """A signature of the body, or of `<unix seconds>.<body>` when a header tells the moment."""

    secret: Variable
    header: Header
    prefix: str = ""
    digest: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    moment_header: Header | None = None


class Auth(_Part):
    """Exactly one of these."""

    bearer: Variable | None = None
    header: HeaderAuth | None = None
    basic: BasicAuth | None = None
    hmac: HmacAuth | None = None
    standard_webhooks: Variable | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"say one of {', '.join(type(self).model_fields)}; `auth: none` is none")
        return self


def signer(auth: Auth | None, sync: str) -> Sign:
    """Read the secrets now, and give what signs requests; DestinationRefused names what is not set."""
    secret = _reader(sync)
    if auth is None:
        return unsigned
    if auth.bearer:
        return _always({"authorization": f"Bearer {secret(auth.bearer)}"})
    if auth.header:
        return _always({auth.header.name: f"{auth.header.prefix}{secret(auth.header.secret)}"})
    if auth.basic:
        pair = f"{secret(auth.basic.user)}:{secret(auth.basic.password)}"
        return _always({"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})
    if auth.hmac:
        return _signing(auth.hmac, secret(auth.hmac.secret).encode())
    key = secret(auth.standard_webhooks or "")
    return lambda request: signed(key, hashlib.sha256(request.body).hexdigest(), _moment(), request.body)


def _reader(sync: str) -> Callable[[str], str]:
    """Read variables of the environment, else of the file of NAME=value lines that CDP_SECRETS names."""
    file = os.environ.get("CDP_SECRETS")
    kept = dotenv_values(file) if file and Path(file).exists() else {}

    def secret(name: str) -> str:
        found = os.environ.get(name) or kept.get(name)
        if not found:
            raise DestinationRefused(f"{sync}: set {name}, the credentials are read from there")
        return found

    return secret


def _always(headers: Mapping[str, str]) -> Sign:
    return lambda _: headers


def _signing(declared: HmacAuth, key: bytes) -> Sign:
    def sign(request: Request) -> Mapping[str, str]:
        moment = str(_moment())
        content = f"{moment}.".encode() + request.body if declared.moment_header else request.body
        digest = hmac.new(key, content, declared.digest).digest()
        text = digest.hex() if declared.encoding == "hex" else base64.b64encode(digest).decode()
        told = {declared.moment_header: moment} if declared.moment_header else {}
        return {declared.header: f"{declared.prefix}{text}", **told}

    return sign


def _moment() -> int:
    return int(now().replace(tzinfo=UTC).timestamp())
