"""The demo retailer: real purchases, synthetic identities, deterministic inbox files."""
