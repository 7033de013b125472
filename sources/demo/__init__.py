"""The demo retailer: real purchases, synthetic identities."""
