"""What people agreed to, by purpose and channel, with changes of mind, in the identifiers each form knows."""

import duckdb

# (purpose, channel, share that ends granted, share of people ever asked)
ASKED = """
create table asked as
select * from (values
    ('marketing', 'email', 0.70, 1.00),
    ('advertising', 'ads', 0.60, 1.00),
    ('marketing', 'sms', 0.45, 0.60),
    ('marketing', 'post', 0.55, 0.25),
    ('personalization', 'onsite', 0.75, 0.70),
    ('analytics', 'onsite', 0.85, 0.70)
) as rows(purpose, channel, granted_share, asked_share)
"""

DECISIONS = """
create table decision as
with final as (
    select
        person.*, asked.purpose, asked.channel, concat(n, purpose, channel) as k,
        case when dice(concat(n, purpose, channel), 'final') < granted_share then 'granted'
            else 'refused' end as wish,
        {end} - seconds(86400 * (2 + 340 * dice(concat(n, purpose, channel), 'decided'))) as decided_at
    from person cross join asked
    where dice(concat(n, purpose, channel), 'asked') < asked_share
)
select *, 2 as step, case when wish = 'granted' then 'granted'
    when dice(k, 'first yes') < 0.4 then 'withdrawn' else 'denied' end as status
from final
union all
select * replace (decided_at - seconds(86400 * (1 + 60 * dice(k, 'earlier'))) as decided_at), 1 as step,
    case when wish = 'granted' then 'denied' else 'granted' end as status
from final
where (wish = 'granted' and dice(k, 'first no') < 0.15) or (wish = 'refused' and dice(k, 'first yes') < 0.4)
"""

# A form knows one identifier: the cookie banner a cookie, the till a loyalty number, the shop a login.
CHOICES = """
create table files.consent__choices as
with forms as (
    select
        *, concat(k, step) as choice,
        case
            when channel = 'onsite' or (channel = 'ads' and dice(concat(k, step), 'form') < 0.3) then 'banner'
            when channel = 'sms' and phone_1 is not null and dice(concat(k, step), 'form') < 0.5
                then 'text message'
            else pick(concat(k, step), 'form', [
                'checkout', 'preference centre', 'preference centre', 'store form', 'import'
            ]) end as wanted_form
    from decision
), known as (
    select
        forms.*, cookie.anonymous_id,
        case
            when wanted_form = 'banner' and cookie.anonymous_id is null then 'preference centre'
            when wanted_form = 'store form' and loyalty_number is null then 'checkout'
            else wanted_form end as form
    from forms
    left join cookie on cookie.n = forms.n and cookie.cookie_no = forms.cookie_count
), arrived as (
    select
        *,
        decided_at + case when form = 'import' then interval 3 day else interval 2 minute end as arrives_at
    from known
)
select
    least(arrives_at, {end}) as _at,
    person_id as _person,
    concat('cc-', md5(choice)[1:16]) as id,
    case when form in ('checkout', 'import') or (form = 'preference centre' and user_id is null)
        then dirty_email(pick(choice, 'which email', emails), concat('g', choice)) end as email,
    case when form = 'text message' then phone_1 end as phone,
    case when form = 'preference centre' then user_id end as user_id,
    case when form = 'banner' then anonymous_id end as anonymous_id,
    case when form = 'store form' then loyalty_number end as loyalty_number,
    purpose,
    channel,
    status,
    case form when 'banner' then 'cookie_banner' when 'store form' then 'paper' when 'import' then 'import'
        when 'text message' then 'keyword' else 'checkbox' end as method,
    case when decided_at < {end} - interval 180 day then 'v2' else 'v3' end as notice_version,
    pick(n, 'jurisdiction', ['US', 'US', 'US-CA', 'US-VA', 'US-CO']) as jurisdiction,
    replace(form, ' ', '_') as source,
    iso(decided_at) as collected_at,
    iso(least(arrives_at, {end})) as received_at
from arrived
"""


def write_agreements(warehouse: duckdb.DuckDBPyConnection, end: str) -> None:
    """Create the files table of consent."""
    for statement in (ASKED, DECISIONS, CHOICES):
        warehouse.execute(statement.format(end=end))
