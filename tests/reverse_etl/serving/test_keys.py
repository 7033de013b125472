"""A key says what its bearer may see, and is kept as its hash."""

import pytest
from profile_town import SUPPORT, WEBSITE

from reverse_etl.serving.keys import add_key
from reverse_etl.sync import BadDeclaration


@pytest.mark.parametrize(
    ("rights", "word"),
    [
        ({**WEBSITE, "channel": None}, "channel"),
        ({**SUPPORT, "basis": ""}, "basis"),
        ({**SUPPORT, "purposes": ["service", "marketing"], "channel": "email"}, "service stands alone"),
        ({**WEBSITE, "scopes": []}, "scopes"),
        ({**WEBSITE, "identifiers": ["iban"]}, "identifiers"),
    ],
)
def test_keys_that_are_none(tmp_path, rights, word):
    with pytest.raises(BadDeclaration, match=word) as error:
        add_key(tmp_path / "keys.yml", "one", rights)
    assert "\n" not in str(error.value)


def test_a_key_is_kept_as_its_hash(tmp_path):
    token = add_key(tmp_path / "keys.yml", "website", WEBSITE)

    assert token not in (tmp_path / "keys.yml").read_text()
    assert (tmp_path / "keys.yml").stat().st_mode & 0o077 == 0
