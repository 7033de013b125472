"""A faithful destination on loopback, so that a sync can be seen working without any account."""
