"""SQL macros for decisions and dirt that depend only on ids and the seed, never on row order or threads.

`dice(key, salt)` is uniform in [0, 1); the `dirty_*` macros spoil a small, documented share of values the
way shops do; the `true_*` macros undo that, for the person map.
"""

import duckdb

DECISIONS = r"""
create macro dice(k, salt) as
    (md5_number_lower(concat_ws('|', k, salt, '{seed}')) % 1000000) / 1000000.0;
create macro pick(k, salt, options) as
    options[1 + cast(floor(dice(k, salt) * len(options)) as integer)];
create macro uuid_of(k, salt) as regexp_replace(
    md5(concat_ws('|', k, salt, '{seed}')), '(.{{8}})(.{{4}})(.{{4}})(.{{4}})(.{{12}})', '\1-\2-\3-\4-\5');
create macro digits_of(k, salt, width) as
    lpad(cast(md5_number_lower(concat_ws('|', k, salt, '{seed}')) % cast(10 ** width as ubigint) as varchar),
         width, '0');
create macro seconds(amount) as to_seconds(cast(floor(amount) as bigint));
create macro iso(moment) as strftime(moment, '%Y-%m-%dT%H:%M:%SZ');
"""

DIRT = r"""
create macro look_alike(word) as replace(replace(word, 'a', chr(1072)), 'o', chr(1086));
create macro dirty_email(email, k) as case
    when email is null then null
    when dice(k, 'email dirt') < 0.012 then upper(email)
    when dice(k, 'email dirt') < 0.020 then concat('  ', email, ' ')
    when dice(k, 'email dirt') < 0.023 then concat(email[1:2], chr(8203), email[3:])
    when dice(k, 'email dirt') < 0.025
        then concat(look_alike(split_part(email, '@', 1)), '@', split_part(email, '@', 2))
    when dice(k, 'email dirt') < 0.028 then 'test@test.com'
    when dice(k, 'email dirt') < 0.031 then 'null'
    else email end;
create macro dirty_phone(phone, k) as case
    when phone is null then null
    when dice(k, 'phone dirt') < 0.006 then '000000000'
    when dice(k, 'phone dirt') < 0.010 then '12345'
    when dice(k, 'phone dirt') < 0.250 then concat('(', phone[3:5], ') ', phone[6:8], '-', phone[9:12])
    when dice(k, 'phone dirt') < 0.400 then concat(phone[3:5], '.', phone[6:8], '.', phone[9:12])
    when dice(k, 'phone dirt') < 0.550
        then concat('+1-', phone[3:5], '-', phone[6:8], '-', phone[9:12], ' x', digits_of(k, 'extension', 3))
    when dice(k, 'phone dirt') < 0.600 then concat(' 1 ', phone[3:5], ' ', phone[6:8], ' ', phone[9:12], ' ')
    else phone end;
create macro dirty_name(word, k) as case
    when word is null then null
    when dice(k, 'name dirt') < 0.030 then upper(word)
    when dice(k, 'name dirt') < 0.045 then concat(' ', word, '  ')
    when dice(k, 'name dirt') < 0.053 then concat(word[1:1], chr(8203), word[2:])
    when dice(k, 'name dirt') < 0.061 then look_alike(word)
    else word end;
"""

TRUTH = r"""
create macro true_email(email) as
    nullif(regexp_extract(lower(trim(replace(email, chr(8203), ''))), '^[^@\s]+@[^@\s]+$'), '');
create macro ten_digits(phone) as
    regexp_replace(regexp_replace(regexp_replace(phone, 'x.*$', ''), '\D', '', 'g'), '^1(\d{10})$', '\1');
create macro true_phone(phone) as
    case when length(ten_digits(phone)) = 10 then concat('+1', ten_digits(phone)) end;
"""


def define_macros(warehouse: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the macros; `seed` is part of every decision."""
    warehouse.execute(DECISIONS.format(seed=seed))
    warehouse.execute(DIRT)
    warehouse.execute(TRUTH)
