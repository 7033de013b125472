"""Only who consents to this purpose on this channel is sent, and is asked again before each batch."""

from activation_town import Remote, sync_now


def test_consent_to_something_else_is_no_consent(warehouse, town):
    town.audience(["ann"], consenting=False)
    town.consent("ann", channel="sms")
    town.consent("ann", purpose="analytics")
    remote = Remote()

    sync_now(warehouse, remote)

    assert remote.names == set()


def test_one_denial_outweighs_any_grant(warehouse, town):
    town.audience(["ann"])
    warehouse.execute("insert into profiles.consents values ('ann', 'marketing', 'email', 'denied', false)")
    remote = Remote()

    sync_now(warehouse, remote)

    assert remote.names == set()


def test_consent_is_asked_again_before_each_batch(warehouse, town):
    """Bob changes his mind while the first batch is on its way."""
    town.audience(["ann", "bob", "cem", "dan"])
    remote = Remote(batch_rows=1)
    remote.on_request = lambda: [town.consent(n, is_granted=False) for n in ("ann", "bob", "cem", "dan")]

    report = sync_now(warehouse, remote)

    assert len(remote.requests) == 1
    assert report.count("suppressed") == 3
    remote.on_request = None
    sync_now(warehouse, remote)
    assert remote.names == set()
