"""Money received and given back, shaped as Stripe charges and refunds (amounts in cents)."""

from sources.source import Source, Table, email, flag, integer, moment, text

SOURCE = Source(
    description="Card payments and refunds; amounts are whole cents.",
    owner="finance@cdp.example",
    refresh="0 * * * *",
    tables=(
        Table(
            "payments",
            key=("id",),
            description="One row per charge and version.",
            columns=(
                text("id"),
                integer("amount"),
                integer("amount_refunded"),
                text("currency"),
                moment("created"),
                text("customer_id", pii="user.unique_id"),
                email("receipt_email"),
                text("payment_intent_id"),
                text("order_id"),
                flag("paid"),
                text("status"),
                text("failure_code"),
                text("card_fingerprint", pii="user.unique_id.pseudonymous"),
            ),
        ),
        Table(
            "refunds",
            key=("id",),
            description="One row per refund.",
            columns=(
                text("id"),
                text("charge_id"),
                integer("amount"),
                text("currency"),
                moment("created"),
                text("reason"),
                text("status"),
                text("order_id"),
            ),
        ),
    ),
)
