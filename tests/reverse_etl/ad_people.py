"""Made-up people on their way to ad platforms, and the few lines that drive a destination without an engine."""

from contextlib import contextmanager
from dataclasses import replace

from reverse_etl.deliver import Delivery
from reverse_etl.destination import Change
from reverse_etl.sync import Sync

DONE = ("delivered", "")
# The hashes are of the vectors in normalise/vectors.yml: written down here once more, not computed.
MARY = {
    "email": " Mary@Example.com ",
    "phone": "+1 (555) 987-6543",
    "first_name": "Mary-Jane",
    "last_name": "O'Brien",
    "zip": "94107-1234",
    "country": "US",
}
MARY_EMAIL = "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"
MARY_META = {
    "email": MARY_EMAIL,
    "phone": "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
    "first_name": "f08f448a5e7a9dc3619bb7c129f6a7d5fc6af002cea17ad71dfdc1c68f4d4e0e",
    "last_name": "b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba",
    "zip": "c884a209ebe08750a7d13db63bd02233b375bd79786cbe329ab11586cc35dead",
    "country": "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",
}


def sync(destination, *names, options, **declared):
    return Sync(
        audience="vip",
        destination=destination,
        fields={name: name for name in names},
        options=options,
        **{"purpose": "advertising", "channel": "ads", **declared},
    )


def person(number, **further):
    return {"email": f"Person{number}@Example.com", **further}


def change(destination, fields, operation="add", name=""):
    """Make the change an engine would: identifiers as delivered, and no readable column beside them."""
    identified = destination.identify(fields).identifiers
    kept = {} if operation == "remove" else {k: v for k, v in fields.items() if k == "value"}
    return Change(
        f"{operation}-{name or fields.get('email')}", operation, f"{hash(str(fields)):032x}"[-32:], identified, kept
    )


def changes(destination, numbers, operation="add"):
    return [change(destination, person(n), operation) for n in numbers]


def deliver(destination, rows, transport=None):
    """Outcomes and codes of rows, in their order, and how many requests it took."""
    with destination.connect() as opened:
        delivery = Delivery(destination, transport or opened, float("inf"), sleep=lambda _: None)
        receipts = delivery.deliver(rows)
    return [(str(r.outcome), r.code) for r in receipts], delivery


def spoilt(row, **identifiers):
    """Give the row identifiers that no platform takes."""
    return replace(row, identifiers={**row.identifiers, **identifiers})


@contextmanager
def listened(destination):
    """Everything a destination sends while the block lasts."""
    sent = []
    connect = destination.connect

    @contextmanager
    def heard():
        with connect() as transport:
            yield lambda request: (sent.append(request), transport(request))[1]

    destination.connect = heard
    yield sent
    destination.connect = connect
