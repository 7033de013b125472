"""Parcels on their way, shaped as Shopify fulfilments."""

from sources.source import Source, Table, moment, person_name, phone, text

SOURCE = Source(
    description="Shipments of web orders and where they are.",
    owner="logistics@cdp.example",
    refresh="10 * * * *",
    tables=(
        Table(
            "shipments",
            key=("id",),
            description="One row per shipment and version.",
            columns=(
                text("id"),
                text("order_id"),
                text("status"),
                text("shipment_status"),
                text("tracking_company"),
                text("tracking_number"),
                person_name("recipient_name"),
                phone("recipient_phone"),
                moment("created_at"),
                moment("updated_at"),
                moment("delivered_at"),
            ),
        ),
    ),
)
