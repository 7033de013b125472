"""Personal values as they may stand in a terminal, a log or a picture: known again, not readable."""

HIDDEN = "•••"  # asterisks would be read as Markdown


def masked(identifier_type: str, value: str) -> str:
    """Hide a value so that who knows it knows it again, and nobody else learns it."""
    if identifier_type == "email" and "@" in value:
        local, _, domain = value.rpartition("@")
        host, _, top = domain.rpartition(".")
        return f"{local[:1]}{HIDDEN}@{host[:1]}{HIDDEN}.{top}"
    if identifier_type == "email_sha256":
        return f"{value[:6]}{HIDDEN}"
    kept = 0 if len(value) < 4 else 1 if len(value) < 8 else 2  # noqa: PLR2004 - at most half of it is shown
    return f"{value[:kept]}{HIDDEN}{value[len(value) - kept :]}"


def shown(identifier_type: str, value: str, *, in_clear: bool) -> str:
    """The value itself only for who asked for it."""
    return value if in_clear else masked(identifier_type, value)
