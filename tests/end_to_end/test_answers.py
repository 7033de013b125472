"""From files to messages: a price that falls is told to those who looked, and who lapses is asked to come back."""

import csv

import pytest
from demo_line import copied, point_at
from typer.testing import CliRunner

pytestmark = pytest.mark.whole  # what makes triggers fire and what they say has tests beside them
LATER = "2026-03-12T17:00:00"  # ten days on, noon in New York
UP_TO_AUDIENCES = " or ".join(
    f"group:{name}" for name in ("raw", "gates", "staging", "identity", "profiles", "audiences")
)
WANTED = """
select events.product_id, count(distinct events.profile_id)
from profiles.profile_events as events
inner join profiles.profiles as profiles
    on events.profile_id = profiles.profile_id and profiles.confidence in ('exact', 'strict')
inner join profiles.consents as consents
    on events.profile_id = consents.profile_id
    and consents.purpose = 'marketing' and consents.channel = 'email' and consents.is_granted
left join audiences.bought_products as bought
    on events.profile_id = bought.profile_id and events.product_id = bought.product_id
where events.event_name = 'Product Viewed' and profiles.email is not null and bought.profile_id is null
    and events.occurred_at > timestamp '2026-02-12'
group by events.product_id order by 2 desc, 1 limit 1
"""


def trigger_run():
    from dagster_cdp.cli import app

    ran = CliRunner().invoke(app, ["trigger", "run"])
    assert ran.exit_code == 0, ran.output


def mark_down(line, product_id):
    """A new version of one product in the catalogue, at four fifths; (title, new price)."""
    with next((line.inbox / "products/products").iterdir()).open() as file:
        row = next(row for row in csv.DictReader(file) if row["product_id"] == product_id)
    row |= {"price": f"{float(row['price']) * 0.8:.2f}", "updated_at": "2026-03-12 12:00:00"}
    line.drop("products", "products", "sale.csv", f"{','.join(row)}\n{','.join(row.values())}\n")
    return row["price"]


@pytest.fixture(scope="module")
def answered(first_run, tmp_path_factory):
    """(the line ten days later, the product that became cheaper, its price, who had lapsed before)."""
    from reverse_etl.sandbox.server import running
    from reverse_etl.sandbox.vendor import environment

    home = tmp_path_factory.mktemp("answered") / "cdp"
    with pytest.MonkeyPatch.context() as patch:
        line = copied(first_run[0], home, patch)
        with running() as sandbox:
            for variables in environment(sandbox.vendors.values(), sandbox.address).values():
                for name, value in variables.items():
                    patch.setenv(name, value)
            trigger_run()
            [(product_id, _)] = line.ask(WANTED)
            lapsed = set(line.ask("select profile_id from audiences.lapsed_buyers"))
            patch.setenv("CDP_NOW", LATER)
            price = mark_down(line, product_id)
            report = line.run(UP_TO_AUDIENCES)
            assert report.failures == []
            trigger_run()
            sent = sandbox.state.file.documents()
            yield line, (product_id, price), lapsed, sent


def told(line, trigger):
    """By outcome, the people of its firings."""
    found = line.ask("select outcome, profile_id from activation.trigger_firings where trigger_name = ?", trigger)
    return {outcome: {person for each, person in found if each == outcome} for outcome, _ in found}


def texts(sent):
    mails = [mail["text"] for mail in sent.get("resend", {}).get("emails", {}).values()]
    return mails + [text["body"] for text in sent.get("twilio", {}).get("messages", {}).values()]


def test_a_price_that_fell_is_told_once_to_who_looked_and_has_not_bought(answered):
    line, (product_id, price), _, sent = answered
    found = told(line, "price_drop")
    assert found["send"]
    strangers = line.ask(
        "select count(*) from activation.trigger_firings as firings "
        "left join (select distinct profile_id, product_id from profiles.profile_events) as looks "
        "on firings.profile_id = looks.profile_id and firings.product_id = looks.product_id "
        "where firings.trigger_name = 'price_drop' and (looks.profile_id is null or firings.product_id <> ?)",
        product_id,
    )
    assert strangers == [(0,)]
    assert len([text for text in texts(sent) if price in text]) == len(found["send"])


def test_who_has_lapsed_since_is_asked_to_come_back(answered):
    line, _, before, sent = answered
    found = told(line, "win_back")
    lapsed = set(line.ask("select profile_id from audiences.lapsed_buyers"))
    assert {(person,) for people in found.values() for person in people} == lapsed - before
    assert found["send"]
    assert len([text for text in texts(sent) if "news in" in text or "while" in text]) >= len(found["send"])


def test_asked_again_nobody_is_told_twice(answered):
    line, _, _, _ = answered
    with pytest.MonkeyPatch.context() as patch:
        for name, value in point_at(line.home).items():
            patch.setenv(name, value)
        patch.setenv("CDP_NOW", LATER)
        before = line.ask("select count(*) from activation.outbox")
        trigger_run()
        assert line.ask("select count(*) from activation.outbox") == before
