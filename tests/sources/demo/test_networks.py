"""Visits come from homes, providers and stores, on devices that stay the same when a cookie doesn't."""

VISITS = """
    (select "anonymousId" as cookie, context.ip as ip, context."userAgent" as agent, context.screen.width as width,
        "timestamp" as told_at
    from web_events__events where "anonymousId" is not null)
"""


def test_every_address_is_kept_for_documentation(query):
    blocks = " and ".join(f"ip not like '{block}%'" for block in ("2001:db8:", "192.0.2.", "198.51.100.", "203.0.113."))
    assert query(f"select distinct ip from {VISITS} where {blocks}") == []


def test_a_cookie_has_one_browser_and_one_screen(query):
    assert query(f"select cookie from {VISITS} group by cookie having count(distinct concat(agent, width)) > 1") == []


def test_a_home_with_ipv6_carries_few_cookies_and_a_provider_s_addresses_many(query):
    crowds = f"""
        select ip like '2001:db8:%', count(distinct cookie)
        from {VISITS}
        group by 1, case when ip like '2001:db8:%' then split_part(ip, ':', 3) else split_part(ip, '.', 1) end
    """
    most = dict(query(f"select is_home, max(cookies) from ({crowds}) as crowds(is_home, cookies) group by is_home"))
    assert most[True] <= 12
    assert most[False] > 20


def test_cookies_of_a_device_follow_each_other(query):
    """Somebody with at least four cookies: the first is gone when the third begins, on the same browser."""
    spans = f"""
        select person_id, agent, cookie, min(told_at) as first_at, max(told_at) as last_at
        from {VISITS} inner join identifiers on identifier_type = 'anonymous_id' and identifier_value = cookie
        where is_shared = 'false' and try_cast(told_at as timestamp) < timestamp '2026-03-11'
        group by all
    """
    followed = query(f"""
        select count(*), count(*) filter (where one.last_at < other.first_at or other.last_at < one.first_at)
        from ({spans}) as one inner join ({spans}) as other using (person_id, agent) where one.cookie < other.cookie
    """)[0]
    assert followed[0] > 5
    assert followed[1] > 0.8 * followed[0]
