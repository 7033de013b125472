"""Who shops: one invented person per real household, with the many names systems know them by.

Names, addresses and their dirty variants come from `dupehell`; phones are ours, because its phone numbers
collide between people once the extension is dropped.
"""

import tempfile
from pathlib import Path

import duckdb

from sources.demo.literal import sql_path

AREA_CODES = tuple(
    """
201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234
235 239 240 248 251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307
308 309 310 312 313 314 315 316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339
341 346 347 350 351 352 353 360 361 363 364 369 380 385 386 401 402 404 405 406 407 408 409 410 412 413
414 415 417 419 423 424 425 430 432 434 435 440 442 443 445 447 448 458 463 464 469 470 472 475 478 479
480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 531 534 539 540 541 551 557
559 561 562 563 564 567 570 571 572 573 574 575 580 582 585 586 601 602 603 605 606 607 608 609 610 612
614 615 616 617 618 619 620 623 626 628 629 630 631 636 640 641 645 646 650 651 656 657 659 660 661 662
667 669 678 680 681 682 686 689 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 725
726 727 728 730 731 732 734 737 738 740 743 747 748 754 757 760 762 763 765 769 770 771 772 773 774 775
""".split()  # noqa: SIM905 - a block of numbers reads better than a quoted list
)

HOUSEHOLDS = """
create table household as
select
    row_number() over (order by copy, household_id) as n,
    household_id,
    copy,
    concat(household_id, case when copy > 1 then concat('-', copy) else '' end) as household_key
from (
    select household_id from (select distinct household_id from transactions)
    order by dice(household_id, 'household'), household_id
    limit {households}
)
cross join (select cast(unnest(range(1, {scale} + 1)) as integer) as copy)
"""

# The e-mail domains that dupehell invents or mistypes exist; example.com, .org and .net belong to nobody.
RECORDS = """
create table record as
select
    master_id,
    row_number() over (partition by master_id order by record_id) as variant,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    case
        when email not like '%@%' then email
        when email like '%@example.com' then email
        when email like '%@exampl%' then concat(split_part(email, '@', 1), '@example.org')
        else concat(split_part(email, '@', 1), '@example.net')
    end as email,
    date_of_birth as birth_date,
    address_line1 as address_line,
    city,
    postal_code
from read_parquet({dataset})
where master_id not like 'CANARY%'
"""

# Hard negatives (different people who share a name or an e-mail) go first, so that none is lost.
MASTERS = """
create table master as
select
    row_number() over (order by md5_number_lower(concat(master_id, '{seed}')), master_id) as n,
    master_id
from (
    select distinct master_id from record
    order by master_id not like 'HN-%', md5_number_lower(concat(master_id, '{seed}')), master_id
    limit {people}
)
"""

PERSONS = """
create table person as
with known as (
    select
        household.*, record.first_name, record.last_name, record.birth_date, record.address_line,
        record.city, record.postal_code, master.master_id,
        lag(record.email) over (order by household.n) as neighbours_email,
        record.email as own_email,
        regexp_replace(lower(concat(record.first_name, '.', record.last_name)), '[^a-z.]', '', 'g') as handle,
        dice(household.n, 'web') < 0.75 as is_web
    from household
    inner join master using (n)
    inner join record on record.master_id = master.master_id and record.variant = 1
)
select
    n, household_id, household_key, copy, master_id,
    concat('person-', lpad(cast(n as varchar), 6, '0')) as person_id,
    first_name, last_name, birth_date, address_line, city, postal_code, is_web,
    case when n % 50 = 1 then coalesce(neighbours_email, own_email) else own_email end as email_1,
    case when dice(n, 'email 2') < 0.30 then concat(handle, n, '@example.org') end as email_2,
    case when dice(n, 'email 2') < 0.08 then concat(handle, '.work', n, '@example.net') end as email_3,
    phone_of(n) as phone_1,
    case when dice(n, 'phone 2') < 0.25 then phone_of({people} + n) end as phone_2,
    case when is_web and dice(n, 'account') < 0.90
        then concat('71', lpad(cast(n * 7919 as varchar), 10, '0')) end as user_id,
    case when not is_web or dice(n, 'loyalty') < 0.85
        then concat('44', lpad(cast(n * 6101 as varchar), 10, '0')) end as loyalty_number,
    concat('card_', md5(concat('card', case when n % 60 = 21 then n - 1 else n end, '{seed}'))[1:16]) as card,
    1 + cast(floor(dice(n, 'cookies') * 6) as integer) as cookie_count,
    list_filter([email_1, email_1, email_2, email_3], lambda email: email is not null) as emails,
    list_filter([phone_1, phone_1, phone_2], lambda phone: phone is not null) as phones
from known
"""

# One in twenty neighbours logs in on the household's shared tablet, which then carries both their visits. Everyone
# else has two devices of their own, on which cookies follow each other: odd numbers on the one, even on the other.
COOKIES = """
create table cookie as
with held as (
    select
        n, cookie_no,
        case when cookie_no = 1 and n % 20 = 1 and n > 1 then n - 1 else n end as owner,
        cookie_no = 1 and n % 20 in (0, 1) as is_household_device
    from person cross join unnest(range(1, cookie_count + 1)) as cookies(cookie_no)
    where is_web
), placed as (
    select
        *, concat(owner, case when is_household_device then ' tablet' else concat('-', cookie_no % 2) end) as device
    from held
)
select
    n, cookie_no, device,
    uuid_of(concat(owner, '-', cookie_no), 'cookie') as anonymous_id,
    case when is_household_device or dice(device, 'app') < 0.35
        then uuid_of(concat(owner, '-', cookie_no), 'device') end as device_id,
    home_network(owner) as network,
    dice(concat(owner, '-', cookie_no), 'refuses') < 0.06 as refuses_analytics
from placed
"""


def invent_people(warehouse: duckdb.DuckDBPyConnection, households: int, scale: int, seed: int) -> int:
    """Create `household`, `record`, `person` and `cookie`; return how many people there are."""
    warehouse.execute(HOUSEHOLDS.format(households=households, scale=scale))
    people = int(warehouse.execute("select count(*) from household").fetchall()[0][0])
    _generate_records(warehouse, people, seed)
    warehouse.execute(MASTERS.format(seed=seed, people=people))
    codes = ", ".join(f"'{code}'" for code in AREA_CODES)
    warehouse.execute(f"""
        create macro phone_of(slot) as case when slot <= {len(AREA_CODES)} * 100 then concat('+1',
            ([{codes}])[1 + slot % {len(AREA_CODES)}], '55501',
            lpad(cast(slot // {len(AREA_CODES)} % 100 as varchar), 2, '0')) end
    """)
    warehouse.execute(PERSONS.format(seed=seed, people=people))
    warehouse.execute(COOKIES)
    return people


def _generate_records(warehouse: duckdb.DuckDBPyConnection, people: int, seed: int) -> None:
    """Have dupehell write its dirty guests; about 0.6 of `size` are distinct people."""
    import dupehell  # noqa: PLC0415 - an extra: only the demo needs it

    with tempfile.TemporaryDirectory() as folder:
        guests = dupehell.generate(
            domain="hospitality", only_entity="guest", size=2 * people + 20, seed=seed, difficulty="medium",
            hard_neg_ratio=0.3, output_dir=folder,
        )  # fmt: skip
        warehouse.execute(RECORDS.format(dataset=sql_path(Path(guests.dataset))))
