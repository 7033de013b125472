"""What a sync says about its values: which country they are from, and which are hashed already."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from reverse_etl.normalise.platforms import platform_of
from reverse_etl.normalise.rules.places import COUNTRIES
from reverse_etl.sync import BadDeclaration, Sync

Hashed = Literal["auto", "yes", "no"]


class Options(BaseModel):
    """`options.normalise` of a sync.

    hashed: per field, `yes` (only hashes are there), `no` (only plain values) or `auto` (64 hex digits are a hash).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_country: str = ""  # alpha-2; of phone numbers and addresses that don't say theirs
    hashed: Mapping[str, Hashed] = {}
    gmail_strip_plus: bool = True  # Google's documentation says so [D], its own Python sample doesn't
    tiktok_phone_plus: bool = True  # its help page says without [D], a certified connector sends it [P]

    @field_validator("default_country", mode="before")
    @classmethod
    def _is_a_country(cls, code: Any) -> Any:
        if code is False:
            raise ValueError('YAML reads NO as false: write default_country: "NO"')
        code = str(code or "").upper()
        if code and code not in COUNTRIES:
            raise ValueError("default_country must be an ISO 3166 alpha-2 code, such as US or GB")
        return code

    @field_validator("hashed", mode="before")
    @classmethod
    def _yes_and_no_are_words(cls, hashed: Any) -> Any:
        """YAML reads them as true and false."""
        words = {True: "yes", False: "no"}
        return {field: words.get(word, word) for field, word in dict(hashed or {}).items()}


def read_options(sync: Sync, platform: str) -> Options:
    """Read `options.normalise` of a sync to this platform."""
    try:
        options = Options.model_validate(sync.options.get("normalise") or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("options.normalise", *map(str, first["loc"])))
        raise BadDeclaration(f"{sync.name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    if stray := sorted(set(options.hashed) - set(platform_of(platform).rules)):
        raise BadDeclaration(f"{sync.name}: options.normalise.hashed: {platform} takes no {' and no '.join(stray)}")
    return options
