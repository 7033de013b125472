"""What a destination is told: the options of a sync, and the secrets of an account, read when they are used.

Secrets come from the environment, or from a file of NAME=value lines that CDP_SECRETS names.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl.destination import DestinationRefused
from reverse_etl.sync import BadDeclaration, Sync

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _is_safe(address: str) -> str:
    """Secrets travel to this address."""
    url = urlsplit(address)
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)):
        raise ValueError("must be an https address")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_is_safe)]


class Options(BaseModel):
    """What every sync to a vendor may say; each destination adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    normalise: Mapping[str, Any] | None = None  # read by reverse_etl.normalise
    timeout_seconds: float = 30


class Settings(BaseSettings):
    """Secrets and address of an account; each vendor adds its own, and says `env_prefix`."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)


Declared = TypeVar("Declared", bound=BaseModel)
Secrets = TypeVar("Secrets", bound=BaseSettings)


def declared(sync: Sync, model: type[Declared]) -> Declared:
    """Read the options of a sync, or say in one line what is wrong with them."""
    try:
        return model.model_validate(sync.options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("options", *map(str, first["loc"])))
        raise BadDeclaration(f"{sync.name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error


def secrets(sync: Sync, settings: type[Secrets]) -> Secrets:
    """Read a vendor's secrets, or name what is missing or wrong."""
    try:
        return settings(_env_file=os.environ.get("CDP_SECRETS"))
    except ValidationError as error:
        prefix = str(settings.model_config.get("env_prefix", ""))
        wrong = ", ".join(f"{prefix}{part['loc'][0]}".upper() for part in error.errors() if part["loc"])
        raise DestinationRefused(
            f"{sync.name}: set {wrong}, in the environment or the file CDP_SECRETS names"
        ) from error
