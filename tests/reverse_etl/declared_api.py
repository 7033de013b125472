"""An HTTP API as tests declare it: a small one, with parts of it replaced."""

from reverse_etl.sync import Sync


def sync_of(declared, **fields):
    """A sync to `http` whose options are the declaration."""
    return Sync(
        audience="vip",
        destination="http",
        purpose="marketing",
        channel="email",
        fields=fields or {"profile_id": "profile_id", "first_name": "first_name"},
        options=declared,
    )


def declared(**parts):
    operation = {"path": "/in", "body": {"rows": {"each": {"id": "{key}"}}}}
    return {
        "url": "https://api.example.com",
        "auth": "none",
        "operations": {"put": operation, "remove": {**operation, "path": "/out"}},
        **parts,
    }
