"""Webhooks, signed by the vendors' own libraries where there are any."""

import base64
import json
import time

import pytest
import stripe
from hooks import SECRET, shopify, standard

from sources.collector.settings import Hook, Settings
from sources.collector.signatures import fresh_standard_secret, standard_key
from sources.collector.webhook import columns_of, load_kind
from sources.refusals import BadConfiguration

SETTINGS = Settings(
    webhooks={
        "shopify": Hook(name="shopify", kind="shopify", secrets=("old", "new")),
        "stripe": Hook(name="stripe", kind="stripe", secrets=("stripe secret",)),
        "till": Hook(name="till", kind="store", secrets=(SECRET,)),
        "any": Hook(name="any", kind="standard", secrets=(SECRET,), tables=("support.users", "nowhere.at_all")),
    }
)


@pytest.fixture
def hooks(door_of):
    return door_of(SETTINGS)


ORDER = {
    "id": 450789469,
    "name": "#1001",
    "email": "bo@example.com",
    "total_price": "199.65",
    "created_at": "2026-01-10T11:00:00-05:00",
    "customer": {"id": 207119551, "note": "private"},
    "billing_address": {"address1": "not kept"},
    "shipping_address": {
        "first_name": "Bo",
        "address1": "1 Street",
        "city": "Ottawa",
        "zip": "K2P",
        "country_code": "CA",
    },
    "line_items": [{"id": 1, "product_id": 7, "title": "A", "quantity": 3, "price": "10.10", "total_discount": "0.30"}],
}


@pytest.mark.parametrize("secret", ["old", "new"])
def test_a_shopify_order_is_a_row_and_its_lines(hooks, secret):
    assert shopify(hooks, ORDER, secret=secret).json() == {"success": True}
    [order], [line] = (hooks.lines(f"web_orders.{table}") for table in ("orders", "order_lines"))
    row = order["row"]
    assert (row["id"], row["customer_id"], row["total_price"]) == ("450789469", "207119551", "199.65")
    assert (row["shipping_address_city"], row["shipping_address_address_1"]) == ("Ottawa", "1 Street")
    assert row.keys() <= columns_of("web_orders.orders")
    assert "not kept" not in json.dumps(order)
    assert line["row"]["price"] == "30.30"
    assert line["row"]["order_id"] == "450789469"


def test_a_delivery_that_comes_again_is_nothing(hooks):
    for _ in range(3):
        assert shopify(hooks, ORDER, identity="one").status_code == 200
    assert len(hooks.lines("web_orders.orders")) == 1


@pytest.mark.parametrize("header", ["", "nonsense", "AAAA"])
def test_a_wrong_signature_is_401_and_nothing_is_stored(hooks, header):
    answer = hooks.post("/webhooks/shopify", ORDER, {"x-shopify-hmac-sha256": header}, key=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert hooks.lines("quarantine") == hooks.lines("web_orders.orders") == []


def test_a_delivery_nobody_reads_is_kept_apart(hooks):
    assert shopify(hooks, ORDER, topic="products/update").status_code == 200
    assert shopify(hooks, {**ORDER, "line_items": [{}]}).status_code == 200
    assert shopify(hooks, {"no": "id"}).status_code == 200
    assert shopify(hooks, ["a list"]).status_code == 200
    assert shopify(hooks, b"{").status_code == 400
    assert hooks.refused() == ["unknown_topic", *["unexpected_shape"] * 3, "malformed_json"]


def test_an_unknown_sender_is_404(hooks):
    assert hooks.post("/webhooks/nobody", {}, key=None).status_code == 404


# Stripe


def stripe_event(what: dict, at=None, secret="stripe secret") -> tuple[bytes, dict[str, str]]:  # noqa: S107
    body = json.dumps({"id": "evt_1", "object": "event", "data": {"object": what}})
    at = at or int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    return body.encode(), {"stripe-signature": f"t={at},v1=00,v1={signature}"}


CHARGE = {
    "id": "ch_1", "object": "charge", "amount": 1999, "amount_refunded": 0, "currency": "eur", "created": 1767225600,
    "customer": "cus_1", "receipt_email": "bo@example.com", "payment_intent": "pi_1", "paid": True,
    "status": "succeeded",
    "metadata": {"order_id": "o1"}, "payment_method_details": {"card": {"fingerprint": "f1", "last4": "4242"}},
}  # fmt: skip


def test_a_charge_and_a_refund_of_stripe(hooks):
    refund = {"id": "re_1", "object": "refund", "charge": "ch_1", "amount": 5, "currency": "eur", "created": 1767225600}
    for what in (CHARGE, refund):
        body, headers = stripe_event(what)
        stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], "stripe secret", 300)
        assert hooks.post("/webhooks/stripe", body, headers, key=None).status_code == 200
    [payment], [repaid] = hooks.lines("finance.payments"), hooks.lines("finance.refunds")
    assert payment["row"]["created"] == "2026-01-01T00:00:00Z"
    assert payment["row"]["card_fingerprint"] == "f1"
    assert "4242" not in json.dumps(payment)
    assert repaid["row"]["charge_id"] == "ch_1"


@pytest.mark.parametrize(
    ("at", "secret", "code"),
    [(1767225600, "stripe secret", "bad_timestamp"), (None, "another", "bad_signature")],
)
def test_an_old_or_forged_event_of_stripe_is_401(hooks, at, secret, code):
    body, headers = stripe_event(CHARGE, at, secret)
    assert hooks.post("/webhooks/stripe", body, headers, key=None).json()["code"] == code
    assert hooks.lines("finance.payments") == []


# stores


RECEIPT = {
    "receipt_id": "R-1", "store_id": "S1", "sold_at": "2026-01-01T10:00:00Z", "loyalty_number": "440023",
    "total_amount": 12.5, "currency": "EUR", "lines": [{"product_id": "P1", "quantity": 1, "sales_amount": 12.5}],
}  # fmt: skip


def test_a_receipt_of_a_till(hooks):
    assert standard(hooks, "till", {"type": "receipt.completed", "data": RECEIPT}).status_code == 200
    [receipt], [line] = (hooks.lines(f"store_receipts.{table}") for table in ("receipts", "receipt_lines"))
    assert receipt["row"]["loyalty_number"] == "440023"
    assert (line["row"]["receipt_id"], line["row"]["line_number"]) == ("R-1", 1)


def test_a_scanned_card_is_an_event_at_once(hooks):
    scan = {"scan_id": "sc1", "loyalty_number": "440023", "store_id": "S1", "scanned_at": "2026-01-01T10:00:00Z"}
    for identity in ("d1", "d2"):
        standard(hooks, "till", {"type": "loyalty_card.scanned", "data": scan}, identity)
    [row] = hooks.rows()
    assert (row["event"], row["message_id"], row["properties"]["loyalty_number"]) == (
        "Loyalty Card Scanned", "sc1", "440023",
    )  # fmt: skip
    assert "440023" not in row["anonymous_id"]


@pytest.mark.parametrize(
    ("kind", "table"), [("loyalty_member.updated", "loyalty_members"), ("coupon.redeemed", "coupon_redemptions")]
)
def test_members_and_coupons(hooks, kind, table):
    standard(hooks, "till", {"type": kind, "data": {"loyalty_number": "1", "unheard_of": "x"}})
    assert [line["row"] for line in hooks.lines(f"store_receipts.{table}")] == [{"loyalty_number": "1"}]


# generic


def test_a_generic_sender_writes_the_tables_it_may(hooks):
    rows = [{"id": "1", "email": "a@example.com"}, {"id": "2"}]
    assert standard(hooks, "any", {"type": "support.users", "data": rows}).status_code == 200
    assert len(hooks.lines("support.users")) == 2
    standard(hooks, "any", {"type": "crm.contacts", "data": {}}, "d2")
    standard(hooks, "any", {"type": "nowhere.at_all", "data": {}}, "d3")
    assert hooks.refused() == ["table_not_allowed", "unknown_table"]


@pytest.mark.parametrize("odd", [{}, {"unheard_of": "x"}, None, "text", [1]])
def test_what_is_no_row_of_the_table_does_not_stop_its_neighbours(hooks, odd):
    rows = [{"id": "1"}, odd, {"id": "2"}]
    assert standard(hooks, "any", {"type": "support.users", "data": rows}).status_code == 200
    assert [line["row"]["id"] for line in hooks.lines("support.users")] == ["1", "2"]
    [refused] = hooks.lines("quarantine")
    assert (refused["codes"], json.loads(refused["raw"])) == (
        ["unexpected_shape"],
        {"type": "support.users", "data": odd},
    )


def test_a_till_that_spells_everything_otherwise_is_kept_as_it_came(hooks):
    coupon = {"type": "coupon.redeemed", "data": {"CouponId": "C1"}}
    assert standard(hooks, "till", coupon).status_code == 200
    assert hooks.lines("store_receipts.coupon_redemptions") == []
    assert [json.loads(line["raw"]) for line in hooks.lines("quarantine")] == [coupon]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"minutes": -6}, "bad_timestamp"),
        ({"minutes": 6}, "bad_timestamp"),
        ({"secret": "whsec_" + base64.b64encode(b"another").decode()}, "bad_signature"),
    ],
)
def test_an_old_or_forged_delivery_is_401(hooks, given, code):
    answer = standard(hooks, "any", {"type": "support.users", "data": {}}, **given)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


@pytest.mark.parametrize("kind", ["shopify", "stripe", "store", "standard"])
@pytest.mark.parametrize("secrets", [(), ("",), ("good", "")])
def test_a_webhook_without_a_secret_is_no_open_door(door_of, kind, secrets):
    given = tuple(SECRET if secret == "good" else secret for secret in secrets)
    with pytest.raises(BadConfiguration, match=r"webhooks\.mine"):
        door_of(Settings(webhooks={"mine": Hook(name="mine", kind=kind, secrets=given)}))


@pytest.mark.parametrize("kind", ["store", "standard"])
@pytest.mark.parametrize("secret", ["whsec_", "whsec_…", "whsec_not base64!"])
def test_a_secret_that_is_no_base64_is_found_at_the_start_and_not_repeated(door_of, kind, secret):
    with pytest.raises(BadConfiguration, match="base64") as error:
        door_of(Settings(webhooks={"mine": Hook(name="mine", kind=kind, secrets=(secret,))}))
    assert secret == "whsec_" or secret not in str(error.value)


def test_a_fresh_secret_is_one():
    assert all(len(standard_key(fresh_standard_secret())) == 24 for _ in range(50))


def test_a_kind_that_is_not_there_is_named():
    with pytest.raises(BadConfiguration, match="shopify, standard, store, stripe"):
        load_kind("magento")
