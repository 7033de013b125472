"""What leaves the outbox, what waits, what is dropped, and what data failed to say."""

import os
from datetime import timedelta

import pytest
from post_office import PostOffice
from trigger_town import Shared, checkout_trigger

from reverse_etl.destination import DestinationRefused, Response
from reverse_etl.lease import lease
from reverse_etl.sync import BadDeclaration
from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.history import history
from reverse_etl.triggers.preview import preview
from reverse_etl.triggers.trigger import find_trigger

TRIGGER = checkout_trigger()


@pytest.fixture
def town(town):
    town.person("ann")
    town.event("ann")
    decide(Shared(town.warehouse), [TRIGGER], town.now)
    return town


def send(town, office, *triggers):
    return dispatch(
        lambda: Shared(town.warehouse), triggers or [TRIGGER], lambda: town.now,
        load=lambda _: office, sleep=lambda _: None,
    )  # fmt: skip


def state(town):
    [(_, state, code)] = town.outbox()
    return state, code


def test_what_was_decided_leaves_with_its_times(town):
    office = PostOffice()
    town.now += timedelta(minutes=1)
    assert send(town, office).count("sent") == 1

    [(message_id, operation, found_by, fields)] = office.sent
    assert (operation, found_by) == ("add", {"email": "ann@example.com"})
    assert fields["subject"] == "Ann, your cart is waiting"
    [row] = town.warehouse.execute(
        "select message_id, received_at < due_at, due_at < decided_at, decided_at < sent_at, sent_at = acknowledged_at "
        "from activation.outbox"
    )
    assert row == (message_id, True, True, True, True)


@pytest.mark.parametrize(
    ("mood", "first", "then"),
    [
        ("busy", ("pending", "http_429"), 1),
        ("down", ("pending", "not_reached"), 1),
        ("refused", ("rejected", "http_422"), 0),
        ("lost", ("unknown", "no_answer"), 1),
        ("applied", ("unknown", "no_answer"), 1),
        ("broken", ("unknown", "http_500"), 1),
    ],
)
def test_what_an_answer_means(town, mood, first, then):
    office = PostOffice(moods=[mood])
    send(town, office)
    assert state(town) == first

    assert send(town, office).count("sent") == 0  # not at once
    town.now += timedelta(minutes=2)
    send(town, office)

    assert len(office.sent) == then
    assert state(town)[0] == ("sent" if then else "rejected")


def test_what_may_have_arrived_is_not_sent_again_when_the_destination_has_forgotten(town):
    office = PostOffice(moods=["applied"], remembers_seconds=60)
    send(town, office)
    office.known.clear()
    town.now += timedelta(minutes=2)
    send(town, office)

    assert state(town) == ("may_have_arrived", "may_have_arrived")
    assert len(office.sent) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda town: town.consent("ann", is_granted=False), "no_consent"),
        (lambda town: town.order("ann"), "bought"),
        (lambda town: town.warehouse.execute("delete from profiles.profiles"), "unknown_person"),
        (lambda town: setattr(town, "now", town.now + timedelta(days=2)), "expired"),
    ],
)
def test_what_changed_since_the_decision_is_seen_before_it_leaves(town, change, code):
    office = PostOffice()
    change(town)
    send(town, office)

    assert office.requests == 0
    assert state(town) == ("dropped", code)


def test_who_takes_back_their_consent_while_the_destination_wants_to_wait_hears_nothing(town):
    class Slow(PostOffice):
        def send(self, request):
            self.requests += 1
            return super().send(request) if self.requests > 1 else Response(429, b"{}", {"retry-after": "120"})

    def sleep(_):
        town.consent("ann", is_granted=False)

    office = Slow()
    dispatch(lambda: Shared(town.warehouse), [TRIGGER], lambda: town.now, load=lambda _: office, sleep=sleep)
    assert state(town) == ("pending", "http_429")

    sleep(0)
    town.now += timedelta(minutes=2)
    send(town, office)
    assert office.sent == []
    assert state(town) == ("dropped", "no_consent")


def test_a_message_without_its_value_stays_and_is_counted(town):
    town.warehouse.execute("update profiles.profile_events set amount = null")
    office = PostOffice()
    report = send(town, office)

    assert office.sent == []
    assert report.count("scrap") == 1
    assert state(town) == ("scrap", "missing_cart_amount")
    assert town.warehouse.execute("select field, reason from activation.message_scrap") == [("cart_amount", "missing")]


@pytest.mark.parametrize("name", ["[First_Name]", "{{name}}", "", None, "null", "TEST", "Win $ at http://evil.example"])
def test_hello_first_name_cannot_leave(town, name):
    town.warehouse.execute("update profiles.profiles set first_name = ?", [name])
    office = PostOffice()
    send(town, office)

    [(*_, fields)] = office.sent
    assert fields["text"].startswith("Hello there,")
    found = town.warehouse.execute("select field, reason from activation.message_scrap where field = 'first_name'")
    assert [(field, reason.split("_")[0]) for field, reason in found] == [("first_name", "fallback")]


def test_an_address_that_is_a_placeholder_goes_nowhere(town):
    town.warehouse.execute("update profiles.profiles set email = '{{contact.email}}'")
    office = PostOffice()
    send(town, office)

    assert (office.sent, state(town)[0]) == ([], "scrap")


def test_one_dispatcher_at_a_time(town):
    office = PostOffice()
    with lease(town.warehouse, "triggers"):
        report = send(town, office)

    assert report.is_busy
    assert office.sent == []


@pytest.mark.parametrize("error", [DestinationRefused("no key"), BadDeclaration("no subject")])
def test_a_destination_that_is_not_ready_holds_up_no_other(town, error):
    other = checkout_trigger(name="looked", when={"event": "Product Viewed"}, reason="product_id")
    town.event("ann", "Product Viewed", product="tea", cart=None)
    decide(Shared(town.warehouse), [other], town.now)
    office = PostOffice()

    def load(sync):
        if sync.audience == "abandoned":
            raise error
        return office

    report = dispatch(lambda: Shared(town.warehouse), [TRIGGER, other], lambda: town.now, load=load)

    assert report.refused == {"abandoned by email": str(error)}
    assert len(office.sent) == 1


def test_a_destination_that_is_broken_holds_up_no_other(town):
    """A fault of its code, whose text may quote a value."""
    other = checkout_trigger(name="looked", when={"event": "Product Viewed"}, reason="product_id")
    town.event("ann", "Product Viewed", product="tea", cart=None)
    decide(Shared(town.warehouse), [other], town.now)

    class Broken(PostOffice):
        def request(self, _):
            raise KeyError("ann@example.com")

    offices = {"abandoned": Broken(), "looked": PostOffice()}
    report = dispatch(
        lambda: Shared(town.warehouse), [TRIGGER, other], lambda: town.now, load=lambda sync: offices[sync.audience]
    )

    assert report.refused == {"abandoned by email": "KeyError"}
    assert len(offices["looked"].sent) == 1


def test_values_are_in_no_queue(town):
    for table in ("outbox", "trigger_firings", "message_scrap"):
        text = str(town.warehouse.execute(f"select * from activation.{table}"))
        assert "example.com" not in text
        assert "48.49" not in text


def test_a_preview_says_why_and_keeps_nothing(town, monkeypatch):
    for name in [name for name in os.environ if name.startswith("RESEND_")]:
        monkeypatch.delenv(name)
    trigger = find_trigger("abandoned_checkout").model_copy(update={"holdout": 0})
    for name, options in {
        "bob": {},
        "cleo": {"channels": ()},
        "dan": {"first_name": "[First_Name]"},
        "eve": {},
    }.items():
        town.person(name, **options)
        town.event(name)
    town.order("bob")
    town.warehouse.execute("update profiles.profile_events set amount = null where profile_id = 'eve'")
    town.event("ann", cart="soon", minutes_ago=1)
    before = town.warehouse.execute("select count(*) from activation.trigger_firings")

    [found] = preview(Shared(town.warehouse), [trigger], town.now)

    assert (found.new, found.waiting) == (6, 1)
    assert found.not_told == {"bought": 1, "no_consent": 1}
    assert found.leaving == {"email": 2}
    assert found.kept_back == {"missing_cart_amount": 1}
    assert found.fallbacks["first_name (placeholder)"] == 1
    assert town.warehouse.execute("select count(*) from activation.trigger_firings") == before
    assert town.warehouse.execute("select count(*) from activation.message_scrap") == [(0,)]


def test_the_log_counts_and_times(town):
    town.now += timedelta(seconds=30)
    send(town, PostOffice())

    found = history(town.warehouse, "abandoned", town.now)

    assert found.decided == {"send": 1}
    assert found.messages == [("email", "sent", None, 1)]
    assert found.seconds_to_acknowledged["p95"] == 30 * 60 + 30
