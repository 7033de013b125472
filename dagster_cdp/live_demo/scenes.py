"""The scenes: each does something at the shop and looks at the sandboxes until it is answered there."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dagster_cdp.live_demo.shoppers import Cast, Person
from dagster_cdp.live_demo.stage import TRIAL_WAIT, Stage
from sources.demo.happening import Shopper, sdk, withdraw

CARTS = "cart_abandoners"
DEADLINE = 60.0  # seconds
LOOK = 0.05  # seconds between two looks, so a clock runs at most so long too far


@dataclass(frozen=True)
class Answer:
    """What was seen, and how many seconds after its cause was sent; None: not in time."""

    did: str
    seen: str
    waited: float  # of these seconds, what a trigger waits on purpose
    seconds: float | None


def play(stage: Stage, cast: Cast) -> Iterator[Answer]:
    """Play one scene after the other."""
    with sdk(stage.write_key, stage.host) as client:
        yield from _abandoned(stage, Shopper(client, cast.abandoner.user_id), cast)
        yield from _bought(stage, Shopper(client, cast.buyer.user_id), cast)
        yield from _withdrawn(stage, Shopper(client, cast.leaver.user_id), cast)


def _abandoned(stage: Stage, shopper: Shopper, cast: Cast) -> Iterator[Answer]:
    look = _clock(partial(shopper.starts_checkout, cast.price))
    yield look("starts a checkout", "in the audience of abandoned carts", lambda: _is_in(stage, cast.abandoner, CARTS))
    yield look("and leaves it", "a message with their offer", lambda: _is_told(stage, cast.abandoner), TRIAL_WAIT)


def _bought(stage: Stage, shopper: Shopper, cast: Cast) -> Iterator[Answer]:
    listed = f"item_{cast.product_id}"
    look = _clock(partial(shopper.views, cast.product_id))
    yield look("looks at a product", "on its ad list", lambda: _is_in(stage, cast.buyer, listed), TRIAL_WAIT)
    shopper.adds(cast.product_id, cast.price)
    look = _clock(partial(shopper.buys, cast.price))
    yield look("buys it", "off its ad list", lambda: not _is_in(stage, cast.buyer, listed))


def _withdrawn(stage: Stage, shopper: Shopper, cast: Cast) -> Iterator[Answer]:
    look = _clock(partial(shopper.views, cast.product_id))
    listed = f"item_{cast.product_id}"
    yield look("looks at it too", "on its ad list", lambda: _is_in(stage, cast.leaver, listed), TRIAL_WAIT)
    before = _audiences(stage, cast.leaver)
    look = _clock(lambda: withdraw(stage.host, stage.webhook_secret, cast.leaver.user_id))
    yield look("withdraws consent", f"out of all {len(before)} audiences", lambda: not _audiences(stage, cast.leaver))


def _clock(cause: Callable[[], None]) -> Callable[..., Answer]:
    """Let it happen; give what looks for an answer, and counts from here."""
    began = time.monotonic()
    cause()

    def look(did: str, seen: str, is_there: Callable[[], bool], waited: float = 0.0) -> Answer:
        while time.monotonic() < began + DEADLINE:
            if is_there():
                return Answer(did, seen, waited, time.monotonic() - began)
            time.sleep(LOOK)
        return Answer(did, seen, waited, None)

    return look


def _audiences(stage: Stage, person: Person) -> list[str]:
    return [name for name, members in stage.sandbox.audiences().items() if person.email in members]


def _is_in(stage: Stage, person: Person, audience: str) -> bool:
    return audience in _audiences(stage, person)


def _is_told(stage: Stage, person: Person) -> bool:
    """Through the channel that they prefer of those they agreed to."""
    sent = stage.sandbox.file.documents()
    mails = sent.get("resend", {}).get("emails", {}).values()
    texts = sent.get("twilio", {}).get("messages", {}).values()
    return any(person.email in mail["to"] for mail in mails) or any(person.phone == text["to"] for text in texts)
