"""Who of the demo's people plays: they consent, can be reached, and were not played by before."""

from dataclasses import dataclass

from reverse_etl.triggers.trigger import find_trigger
from reverse_etl.warehouse import Warehouse

# Whoever is in most audiences first: they will leave them all.
_PEOPLE = """
select profiles.profile_id, profiles.email, min(logins.identifier_value), coalesce(profiles.phone, '')
from profiles.profiles as profiles
inner join identity.profile_identifiers as logins
    on profiles.profile_id = logins.profile_id and logins.identifier_type = 'user_id' and not logins.is_shared
inner join profiles.consents as consents on profiles.profile_id = consents.profile_id and consents.is_granted
left join (select profile_id, count(*) as held from activation.journal where is_held group by profile_id) as journal
    on profiles.profile_id = journal.profile_id
where profiles.email is not null and profiles.confidence in ('exact', 'strict')
    and {arm} = 'sent'
    and profiles.profile_id not in (select profile_id from activation.trigger_firings)
group by profiles.profile_id, profiles.email, profiles.phone, journal.held
having max(case when consents.purpose = 'marketing' and consents.channel = 'email' then 1 else 0 end) = 1
    and max(case when consents.purpose = 'advertising' and consents.channel = 'ads' then 1 else 0 end) = 1
order by coalesce(journal.held, 0) desc, profiles.profile_id
"""
_PRODUCT = """
select product_id, cast(price_amount as double)
from staging.stg_products__products
where price_amount is not null
    and product_id not in (select product_id from audiences.bought_products where profile_id in (?, ?, ?))
order by product_id limit 1
"""


class NobodyLeft(RuntimeError):
    """Too few people of the demo are left to play."""


@dataclass(frozen=True)
class Person:
    """Somebody of the demo, who doesn't exist."""

    profile_id: str
    email: str
    user_id: str
    phone: str


@dataclass(frozen=True)
class Cast:
    """Three people and a product that none of them has."""

    leaver: Person
    abandoner: Person
    buyer: Person
    product_id: str
    price: float


def choose(warehouse: Warehouse) -> Cast:
    """Choose who plays. Raises NobodyLeft."""
    split = find_trigger("abandoned_checkout").split
    arm = split.sql("profiles.profile_id") if split else "'sent'"
    found = [Person(*map(str, row)) for row in warehouse.execute(_PEOPLE.format(arm=arm))]
    if len(found) < 3:  # noqa: PLR2004 - a Cast
        raise NobodyLeft("every reachable person of the demo has played: delete CDP_HOME, or take more households")
    leaver, *_, abandoner, buyer = found
    products = warehouse.execute(_PRODUCT, [leaver.profile_id, abandoner.profile_id, buyer.profile_id])
    if not products:
        raise NobodyLeft("there is no product in the catalogue that nobody of them has bought")
    [(product_id, price)] = products
    return Cast(leaver, abandoner, buyer, str(product_id), float(price))
