"""A running sandbox as a test sees it: what a vendor holds, what it was asked, what it shall fail."""

from contextlib import contextmanager

import httpx

from reverse_etl.sandbox.server import running


class Desk:
    """`desk.url("meta")` is a base URL; `with desk.store("meta") as store` is that vendor's own documents."""

    def __init__(self, server):
        self.server = server
        self.address = server.address
        self.store = server.state.file.store

    def url(self, vendor):
        return f"{self.address}/{vendor}"

    def plant(self, action, times=1, seconds=0.0, **match):
        wish = {"match": match, "action": action, "times": times, "seconds": seconds}
        answer = httpx.post(f"{self.address}/__fault", json=wish)
        assert answer.status_code == 200, answer.text

    def held(self, vendor, kind):
        """Documents of a kind, by key."""
        with self.store(vendor) as store:
            return store.all(kind)

    def kinds(self, vendor):
        with self.store(vendor) as store:
            return store.kinds()

    def log(self, vendor=""):
        return httpx.get(f"{self.address}/__log", params={"vendor": vendor}).json()["requests"]


@contextmanager
def desk_of(vendors=None):
    with running(vendors) as server:
        yield Desk(server)
