"""What a sync may say of its values, and what it is told when it can't be meant."""

import pytest
import yaml

from reverse_etl.normalise import Options, identify, read_options
from reverse_etl.sync import BadDeclaration, Sync


def declared(text):
    return Sync.model_validate(
        yaml.safe_load(
            "audience: vip\ndestination: meta\npurpose: advertising\nchannel: ads\nfields: {email: email}\n"
            f"options: {{account: '1', normalise: {text}}}"
        )
    )


def test_without_a_word_the_defaults_hold():
    assert read_options(declared("null"), "meta") == Options()


def test_yaml_may_take_yes_and_no_for_booleans():
    options = read_options(declared("{hashed: {email: yes, phone: no, city: auto}}"), "meta")

    assert options.hashed == {"email": "yes", "phone": "no", "city": "auto"}


def test_a_country_may_be_in_lower_case():
    options = read_options(declared("{default_country: us}"), "meta")

    assert identify("meta", {"phone": "(212) 555-0100"}, options).identifiers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{default_country: NO}", 'YAML reads NO as false: write default_country: "NO"'),
        ("{default_country: USA}", "ISO 3166 alpha-2"),
        ("{hashed: {email: perhaps}}", r"options\.normalise\.hashed\.email"),
        ("{hashed: {fax: yes}}", "hashed: meta takes no fax"),
        ("{hashed: {date_of_birth: yes}}", "hashed: meta takes no date_of_birth"),
        ("{salt: pepper}", r"options\.normalise\.salt: Extra inputs are not permitted"),
    ],
)
def test_what_cant_be_meant_is_refused_in_one_line(text, message):
    with pytest.raises(BadDeclaration, match=message) as raised:
        read_options(declared(text), "meta")

    assert str(raised.value).startswith("vip_to_meta: ")
    assert "\n" not in str(raised.value)
