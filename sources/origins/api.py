"""HTTP interfaces that answer in JSON pages, through dlt's REST source.

`[sources.<connector>.api.client]` and `[sources.<connector>.api.tables.<table>]` are dlt's own
`client` and `endpoint`: paging, authentication, cursor. A bearer token is a secret of its own:
`SOURCES__<CONNECTOR>__API__TOKEN`. Too many requests (429) and server errors are
tried again, after as long as `Retry-After` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_resources

from sources.configuration import Configuration
from sources.landing import Landing
from sources.origins.pages import landed, pages_name, settings_of
from sources.refusals import BadConfiguration
from sources.source import Source, Table


@dataclass(frozen=True)
class Api:
    """The interface behind one source."""

    source: Source
    configuration: Configuration

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:  # noqa: ARG002 - as declared
        return False  # only asking tells

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:  # noqa: ARG002
        endpoint = settings_of(self.source, "api", "tables").get(table.name, {})
        name = pages_name(self.source, table)
        resource = {"name": name, "endpoint": {"path": table.name, **endpoint}}
        (pages,) = rest_api_resources({"client": self.client, "resources": [resource]})
        return landed(pages, self.source, table, landing)

    @property
    def client(self) -> dict[str, Any]:
        client = settings_of(self.source, "api", "client")
        if "base_url" not in client:
            key = f"sources.{self.source.name}.api.client"
            raise BadConfiguration(f"[{key}] has no base_url; write it in .dlt/config.toml")
        if token := dlt.secrets.get(f"sources.{self.source.name}.api.token", str):
            client.setdefault("auth", {"type": "bearer", "token": token})
        return client


ORIGIN = Api
