"""Customer.io's two APIs: the Track API is written to, the App API, with a key of its own, tells who is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import DestinationRefused, Request, Response, Scalar, Transport
from reverse_etl.exchange import basic
from reverse_etl.sync import Sync

APP = "/v1/"  # how paths of the App API begin; those of the Track API don't


class Settings(settings.Settings, env_prefix="CUSTOMERIO_"):
    """CUSTOMERIO_SITE_ID, CUSTOMERIO_API_KEY of the Track API, and CUSTOMERIO_URL (https://track-eu… in Europe).

    To read who is in a segment: CUSTOMERIO_APP_API_KEY, and CUSTOMERIO_APP_URL (https://api-eu… in Europe).
    """

    site_id: str
    api_key: SecretStr
    url: settings.Address = "https://track.customer.io"
    app_api_key: SecretStr | None = None
    app_url: settings.Address = "https://api.customer.io"


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    track = {"authorization": basic(found.site_id, found.api_key.get_secret_value())}
    app = {"authorization": f"Bearer {found.app_api_key.get_secret_value()}"} if found.app_api_key else {}

    def sign(request: Request) -> dict[str, str]:
        return app if request.path.startswith(found.app_url + APP) else track

    with http.connect(found.url, sign=sign, timeout_seconds=timeout_seconds) as send:

        def sent(request: Request) -> Response:
            if not request.path.startswith(APP):
                return send(request)
            if not app:
                raise DestinationRefused(f"{sync.name}: set CUSTOMERIO_APP_API_KEY: who is there is told to it only")
            return send(replace(request, path=found.app_url + request.path))

        yield sent


def seconds(value: Scalar) -> Scalar:
    """Convert what is a moment or a day in ISO 8601; leave the rest for Customer.io to judge."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
