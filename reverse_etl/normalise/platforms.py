"""All platforms by name."""

from reverse_etl.normalise.advertising import ADVERTISING
from reverse_etl.normalise.messaging import MESSAGING
from reverse_etl.normalise.platform import Platform, Rule
from reverse_etl.sync import BadDeclaration

PLATFORMS = {**ADVERTISING, **MESSAGING}


def platform_of(name: str) -> Platform:
    if name not in PLATFORMS:
        raise BadDeclaration(f"no rules for platform {name!r}: there are {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def rule_of(platform: str, field: str) -> Rule:
    rules = platform_of(platform).rules
    if field not in rules:
        raise BadDeclaration(f"{platform} takes no {field!r}: it takes {', '.join(rules)}")
    return rules[field]


def fields_of(platform: str) -> tuple[str, ...]:
    """Every field that may be mapped for a platform."""
    table = platform_of(platform)
    return (*table.rules, *table.parts)
