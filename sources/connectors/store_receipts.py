"""Tills of the stores, the loyalty programme, and coupons handed in at the till."""

from sources.source import Source, Table, day, email, integer, moment, money, person_name, phone, text

SOURCE = Source(
    description="Store receipts and their lines, loyalty members, coupon redemptions.",
    owner="stores@cdp.example",
    refresh="30 * * * *",
    tables=(
        Table(
            "receipts",
            key=("receipt_id",),
            description="One row per receipt; loyalty_number only when the card was shown.",
            columns=(
                text("receipt_id"),
                text("store_id"),
                text("register_id"),
                moment("sold_at"),
                text("loyalty_number", pii="user.unique_id"),
                money("total_amount"),
                money("discount_amount"),
                text("currency"),
                email("receipt_email"),
                text("payment_method"),
            ),
        ),
        Table(
            "receipt_lines",
            key=("receipt_id", "line_number"),
            description="One row per line of a receipt.",
            columns=(
                text("receipt_id"),
                integer("line_number"),
                text("product_id"),
                integer("quantity"),
                money("sales_amount"),
                money("retail_discount_amount"),
                money("coupon_discount_amount"),
            ),
        ),
        Table(
            "loyalty_members",
            key=("loyalty_number",),
            description="One row per member and version.",
            columns=(
                text("loyalty_number", pii="user.unique_id"),
                text("household_id", pii="user.unique_id"),
                person_name("first_name"),
                person_name("last_name"),
                email("email"),
                phone("phone"),
                text("birth_date", pii="user.demographic.date_of_birth"),
                text("address_line_1", pii="user.contact.address.street"),
                text("city", pii="user.contact.address.city"),
                text("postal_code", pii="user.contact.address.postal_code"),
                text("country_code", pii="user.contact.address.country"),
                text("age_band", pii="user.demographic.age_range"),
                text("income_band", pii="user.financial"),
                text("household_size", pii="user.demographic"),
                moment("joined_at"),
                moment("updated_at"),
            ),
        ),
        Table(
            "coupon_redemptions",
            key=("loyalty_number", "coupon_upc", "campaign_id", "redeemed_on"),
            description="One row per coupon a member handed in.",
            columns=(
                text("loyalty_number", pii="user.unique_id"),
                text("coupon_upc"),
                text("campaign_id"),
                day("redeemed_on"),
            ),
        ),
    ),
)
