"""Why a request or an event isn't taken: a code and a status, never a value from the data."""


class Refusal(Exception):
    """A request that is answered with something else than 200."""

    def __init__(self, status: int, code: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Gone(Exception):
    """The client hung up before its request was whole; nobody is left to answer."""
