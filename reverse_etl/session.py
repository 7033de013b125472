"""Sessions that end: logged in when first used, renewed once when an answer says that it is over."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from pydantic import SecretStr

from reverse_etl.destination import NoAnswer, NotSent, Request, Response, Transport

OK, UNAUTHORISED, BROKEN, UNAVAILABLE = 200, 401, 500, 503

Login = Callable[[], Response]


def in_session(send: Transport, login: Login) -> Transport:
    """Send to the `instance_url` of the session, under its `access_token`."""
    session: dict[str, str] = {}

    def once(request: Request) -> Response:
        headers: Mapping[str, str] = {**request.headers, "authorization": f"Bearer {session['access_token']}"}
        return send(replace(request, path=session["instance_url"] + request.path, headers=headers))

    def sent(request: Request) -> Response:
        if session and (answer := once(request)).status != UNAUTHORISED:
            return answer
        if (answer := login()).status != OK:
            return answer
        session.update(answer.json())
        return once(request)

    return sent


def client_credentials(send: Transport, token: Request, client_id: str, secret: SecretStr) -> Login:
    """Log in as an application: OAuth's client credentials. Refused is an answer of 401, broken one of 503."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret.get_secret_value()}
    headers = {"content-type": "application/x-www-form-urlencoded"}

    def login() -> Response:
        try:
            answer = send(replace(token, body=urlencode(form).encode(), headers=headers))
        except NoAnswer as error:
            raise NotSent("no session") from error  # whatever became of the login, nothing was asked
        if answer.status == OK:
            return answer
        return replace(answer, status=UNAUTHORISED if answer.status < BROKEN else UNAVAILABLE)

    return login
