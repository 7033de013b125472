"""What is shown of a value when nobody asked for it in clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_cdp.identity.masking import masked, shown


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("email", "ada.byron@shop.example", "a•••@s•••.example"),
        ("phone", "+441632960001", "+4•••01"),
        ("user_id", "u1", "•••"),
        ("email_sha256", "5d1e42aa" * 8, "5d1e42•••"),
        ("email", "not an address", "no•••ss"),
    ],
)
def test_masks(kind, value, told):
    assert masked(kind, value) == told


@given(st.sampled_from(["email", "phone", "user_id", "email_sha256", "device_id"]), st.text(min_size=1))
def test_at_most_half_of_a_value_that_is_no_hash_is_shown(kind, value):
    if kind == "email_sha256" or "@" in value:
        return
    assert len(masked(kind, value).replace("•••", "", 1)) <= len(value) / 2


@given(st.emails())
def test_neither_the_name_nor_the_host_of_an_address_is_shown(address):
    local, _, domain = address.rpartition("@")
    host = domain.rpartition(".")[0]
    told = masked("email", address)
    assert len(local) == 1 or local not in told.split("@")[0]
    assert len(host) == 1 or host not in told.split("@")[1]


def test_in_clear_only_when_asked():
    assert shown("phone", "+441632960001", in_clear=True) == "+441632960001"
