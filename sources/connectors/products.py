"""The product catalogue and the coupons valid for its products."""

from sources.source import Source, Table, moment, money, text

SOURCE = Source(
    description="Product catalogue: what is sold, and which coupons apply to it.",
    owner="merchandising@cdp.example",
    refresh="0 4 * * *",
    tables=(
        Table(
            "products",
            key=("product_id",),
            description="One row per product and version.",
            columns=(
                text("product_id"),
                text("title"),
                text("vendor"),
                text("department"),
                text("category"),
                text("product_type"),
                text("package_size"),
                money("price"),
                moment("updated_at"),
            ),
        ),
        Table(
            "coupons",
            key=("coupon_upc", "product_id", "campaign_id"),
            description="One row per coupon, product it applies to, and campaign that hands it out.",
            columns=(text("coupon_upc"), text("product_id"), text("campaign_id")),
        ),
    ),
)
