"""Vendors' APIs as several destinations, or several requests of one, need them: secrets, headers, errors by code."""
