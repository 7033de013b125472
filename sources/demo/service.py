"""Where people are known by name: CRM contacts and support users, tickets and chat notes."""

import duckdb

# The first record is nearly clean; the second is a dirty dupehell variant of the same person, typed in
# by someone who didn't find the first one.
CONTACTS = """
create table files.crm__contacts as
with entries as (
    select
        person.*, 1 as entry, first_name as given, last_name as family, email_1 as address,
        birth_date as born, address_line as street, city as town
    from person where dice(n, 'in crm') < 0.70
    union all
    select
        person.*, 2 as entry, coalesce(r.first_name, person.first_name[1:1]) as given,
        coalesce(r.last_name, person.last_name) as family,
        case when dice(n, 'second email') < 0.6 then coalesce(person.email_2, r.email, person.email_1)
            else coalesce(r.email, person.email_1) end as address,
        r.birth_date as born, r.address_line as street, r.city as town
    from person left join record as r on r.master_id = person.master_id and r.variant = 2
    where dice(n, 'in crm') < 0.09 or (dice(n, 'in crm') < 0.70 and dice(n, 'crm twice') < 0.05)
), dated as (
    select
        *, concat(n, '-', entry) as k,
        {end} - seconds(86400 * (1 + 900 * dice(concat(n, '-', entry), 'crm created'))) as made_at
    from entries
), changed as (
    select
        *, made_at + seconds(least(86400 * 90, epoch({end} - made_at)) * dice(k, 'crm changed')) as changed_at
    from dated
)
select
    case when changed_at >= {end} - interval 7 day then changed_at end as _at,
    person_id as _person,
    concat('80', lpad(cast(n * 2 + entry as varchar), 9, '0')) as id,
    dirty_email(address, concat('c', k)) as property_email,
    case when entry = 1 and dice(k, 'additional') < 0.5
        then array_to_string(list_filter([email_2, email_3], lambda email: email is not null), ';') end
        as property_hs_additional_emails,
    case when dice(k, 'merge tag') < 0.005 then '[First_Name]' else dirty_name(given, concat('c', k)) end
        as property_firstname,
    dirty_name(family, concat('c', k)) as property_lastname,
    case when dice(k, 'crm phone') < 0.6 then dirty_phone(phone_1, concat('c', k)) end as property_phone,
    case when dice(k, 'crm mobile') < 0.5 then dirty_phone(phone_2, concat('m', k)) end
        as property_mobilephone,
    street as property_address,
    town as property_city,
    postal_code as property_zip,
    pick(k, 'crm country', ['United States', 'USA', 'US', 'us']) as property_country,
    born as property_date_of_birth,
    pick(k, 'stage', ['customer', 'customer', 'customer', 'subscriber', 'lead']) as property_lifecyclestage,
    case when dice(k, 'crm loyalty') < 0.35 then loyalty_number end as property_loyalty_number,
    iso(made_at) as property_createdate,
    iso(changed_at) as property_lastmodifieddate
from changed
"""

USERS = """
create table support_user as
select
    person.*, entry, concat('90', lpad(cast(n * 2 + entry as varchar), 9, '0')) as support_user_id,
    {end} - seconds(86400 * (1 + 300 * dice(concat(n, entry), 'asks first'))) as first_at
from person cross join unnest([1, 2]) as entries(entry)
where dice(n, 'asks support') < case when entry = 1 then 0.08 else 0.012 end;

create table files.support__users as
select
    first_at as _at,
    person_id as _person,
    support_user_id as id,
    case when entry = 1 then concat(dirty_name(first_name, support_user_id), ' ', last_name)
        else concat(first_name[1:1], '. ', last_name) end as name,
    dirty_email(case when entry = 2 then coalesce(email_2, email_1) else email_1 end, support_user_id)
        as email,
    case when dice(support_user_id, 'gives phone') < 0.5
        then dirty_phone(pick(support_user_id, 'which phone', phones), support_user_id) end as phone,
    case when entry = 1 and dice(support_user_id, 'signed in') < 0.6 then user_id end as external_id,
    iso(first_at) as created_at,
    iso(first_at) as updated_at
from support_user
"""

TICKETS = """
create table ticket as
select
    *, concat('T-', n, '-', entry, '-', turn) as ticket_id,
    least(first_at + seconds(2592000 * (turn - 1) * dice(concat(n, turn), 'asks again')), {end}) as opened_at,
    pick(concat(n, entry, turn), 'topic', [
        'Where is my order?', 'Refund for a damaged item', 'Loyalty points missing', 'Wrong item delivered',
        'Change my e-mail address', 'Coupon did not apply']) as topic
from support_user cross join unnest([1, 2, 3]) as turns(turn)
where turn = 1 or dice(concat(n, turn), 'asks again?') < 0.35;

create table files.support__tickets as
select
    opened_at as _at,
    person_id as _person,
    ticket_id as id,
    support_user_id as requester_id,
    topic as subject,
    concat(topic, ' Please help, this is the second time I write.') as description,
    case when opened_at >= {end} - interval 5 day then 'open' else 'solved' end as status,
    pick(ticket_id, 'priority', ['low', 'normal', 'normal', 'high', 'urgent']) as priority,
    pick(ticket_id, 'channel', ['web', 'email', 'chat', 'voice']) as via_channel,
    to_json([lower(split_part(topic, ' ', 1)), 'demo']) as tags,
    iso(opened_at) as created_at,
    iso(opened_at) as updated_at
from ticket
"""

COMMENTS = """
create table files.support__comments as
select
    least(opened_at + seconds(1800 * turn_no), {end}) as _at,
    person_id as _person,
    concat(ticket_id, '-', turn_no) as id,
    ticket_id,
    support_user_id as user_id,
    case turn_no
        when 1 then concat(topic, case when dice(ticket_id, 'tells') < 0.3
            then concat(' You can reach me at ', coalesce(phone_1, email_1), '.') else '' end)
        when 2 then 'Agent note: checked the order, waiting for the warehouse.'
        else 'Thank you, that solves it.' end as body,
    turn_no <> 2 as public,
    iso(least(opened_at + seconds(1800 * turn_no), {end})) as created
from ticket cross join unnest([1, 2, 3]) as turns_of_talk(turn_no)
where turn_no <= 2 or dice(ticket_id, 'thanks') < 0.6
"""


def write_service(warehouse: duckdb.DuckDBPyConnection, end: str) -> None:
    """Create the files tables of crm and support."""
    for statement in (CONTACTS, USERS, TICKETS, COMMENTS):
        warehouse.execute(statement.format(end=end))
