"""Identifiers as each platform wants them: normalised, validated, then hashed where it must be.

Pure: no warehouse, no network, no clock. A field that can't be used is left out with a reason, never the row,
unless what remains finds nobody. Where a rule comes from is said beside it:

- [D] the vendor's documentation or SDK
- [P] read in other products' connectors, which do err
- [K] general knowledge, not verified: a default, not a truth
- [C] our choice, where nobody says
"""

from reverse_etl.normalise.hashing import PlaintextRefused, refuse_plaintext, sha256_hex
from reverse_etl.normalise.identify import Identified, identify, normalise
from reverse_etl.normalise.options import Options, read_options
from reverse_etl.normalise.platforms import PLATFORMS, fields_of
from reverse_etl.normalise.reason import Reason, Unusable

__all__ = [
    "PLATFORMS",
    "Identified",
    "Options",
    "PlaintextRefused",
    "Reason",
    "Unusable",
    "fields_of",
    "identify",
    "normalise",
    "read_options",
    "refuse_plaintext",
    "sha256_hex",
]
