"""A remote place that takes hashes only."""

import hashlib

from mortal import Fatal

from reverse_etl.destination import Spec
from reverse_etl.normalise import Identified


class Hashing(Fatal):
    """A place for hashes, whose rules may change, and during whose answers another run may take over."""

    pepper = ""
    overtake = None

    @property
    def spec(self):
        return Spec(
            batch_rows=self.batch_rows, identifiers=("email",), hash_only=True, attempts=1,
            honours_operation_ids=self.honours_operation_ids,
        )  # fmt: skip

    def identify(self, fields):
        email = (fields["email"] or "").strip().lower()
        return Identified({"email": self.hashed(email)} if email else {}, {})

    def hashed(self, email):
        return hashlib.sha256((self.pepper + email).encode()).hexdigest()

    def send(self, request):
        assert b"@" not in request.body, "an address in clear"
        if self.moods and self.moods[0] == "overtaken":
            self.moods[0] = "well"
            response = super().send(request)
            self.overtake()
            return response
        return super().send(request)
