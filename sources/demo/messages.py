"""What was sent and what was agreed to: e-mail campaigns, engagement with them, and consent choices."""

from datetime import date

import duckdb

from sources.demo.purchases import LAST_DAY_IN_DATA

CAMPAIGNS = """
create table files.email_engagement__campaigns as
select
    cast(null as timestamp) as _at,
    cast(null as varchar) as _person,
    cast(campaign_id as varchar) as id,
    concat('Coupon campaign ', campaign_id) as name,
    campaign_type,
    pick(campaign_id, 'subject', [
        'Your coupons are here', 'Save on what you buy', 'This week only', 'Just for you']) as subject,
    cast(start_date as timestamp) + to_days({shift}) + interval 9 hour as send_time,
    cast(cast(start_date as date) + {shift} as date) as start_on,
    cast(cast(end_date as date) + {shift} as date) as end_on
from campaign_descriptions
"""

# A campaign's e-mail goes to the households it really targeted, weekly while it ran, at most four times.
SENDS = """
create table email_send as
select
    concat(c.id, '-', person.n, '-', week) as send_id,
    person.n, person.person_id, c.id as campaign_id, c.subject,
    coalesce(case when dice(person.n, 'reads at') >= 0.7 then person.email_2 end, person.email_1) as email,
    c.send_time + to_days(cast(7 * week as integer)) + seconds(1800 * dice(person.n, 'send slot')) as sent_at
from campaigns as t
inner join files.email_engagement__campaigns as c on c.id = cast(t.campaign_id as varchar)
inner join person using (household_id)
cross join unnest([0, 1, 2, 3]) as weeks(week)
where cast(c.send_time as date) + 7 * week <= c.end_on
    and c.send_time + to_days(cast(7 * week as integer))
        between {end} - interval 366 day and {end} - interval 1 hour
    and (person.email_1 is not null)
"""

ENGAGEMENT = """
create table engagement as
with sends as (
    select
        *, dice(send_id, 'outcome') as outcome,
        dice(send_id, 'opens') < 0.22 + 0.3 * dice(n, 'keen') as opens,
        dice(send_id, 'clicks') < 0.22 as clicks,
        sent_at + seconds(90000 * dice(send_id, 'opened') ** 2 + 60) as opened_at
    from email_send
), outcomes as (
    select
        sends.*, metric, case when delay < 0 then sent_at else opened_at + seconds(delay) end as happened_at
    from sends
    cross join (values ('Received Email', -1), ('Bounced Email', -1), ('Opened Email', 0),
        ('Clicked Email', 35), ('Unsubscribed', 50), ('Marked Email as Spam', 55)) as metrics(metric, delay)
    where case metric
        when 'Received Email' then outcome >= 0.012
        when 'Bounced Email' then outcome < 0.012
        when 'Opened Email' then outcome >= 0.012 and opens
        when 'Clicked Email' then outcome >= 0.012 and opens and clicks
        when 'Unsubscribed' then outcome >= 0.012 and outcome < 0.018 and opens
        else outcome >= 0.018 and outcome < 0.020 and opens end
)
select * from outcomes where happened_at <= {end}
"""

EMAIL_EVENTS = """
create table files.email_engagement__events as
select
    happened_at as _at,
    person_id as _person,
    md5(concat(send_id, metric)) as id,
    case when metric <> 'Clicked Email' then concat('kl_', md5(email)[1:12]) end as person_id,
    case when metric <> 'Clicked Email' then email end as email,
    case when metric = 'Clicked Email' then sha256(lower(trim(email))) end as email_sha256,
    metric,
    campaign_id,
    subject as property_subject,
    case when metric = 'Clicked Email'
        then concat('https://shop.example.com/deals?campaign=', campaign_id) end as property_url,
    iso(happened_at) as datetime
from engagement
"""


def write_messages(warehouse: duckdb.DuckDBPyConnection, last_day: date, end: str) -> None:
    """Create `engagement` and the files tables of email_engagement."""
    shift = (last_day - LAST_DAY_IN_DATA).days
    for statement in (CAMPAIGNS, SENDS, ENGAGEMENT, EMAIL_EVENTS):
        warehouse.execute(statement.format(end=end, shift=shift))
