"""The hashes that vendors publish, and the cases where other products contradict them."""

from pathlib import Path

import pytest
import yaml

from reverse_etl.normalise import Options, identify, normalise, sha256_hex
from reverse_etl.normalise.hashing import mailchimp_subscriber_hash, meta_appsecret_proof

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yml").read_text(encoding="utf-8"))


def named(case):
    return f"{case['platform']}-{case['field']}-{str(case['given']).strip()}"


@pytest.mark.parametrize("vector", VECTORS["hashes"], ids=named)
def test_a_value_leaves_as_the_published_hash(vector):
    platform, field, given = vector["platform"], vector["field"], vector["given"]
    options = Options(**vector.get("options", {}))

    assert normalise(platform, field, given, options) == vector["normal"]
    assert sha256_hex(vector["normal"]) == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["hashes"], ids=named)
def test_the_hash_is_what_a_row_gets(vector):
    somebody = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Test", "zip": "10001", "country": "US"}
    taken = {"tiktok": {"email"}}.get(vector["platform"], set(somebody))
    row = {name: value for name, value in somebody.items() if name in taken} | {vector["field"]: vector["given"]}

    identified = identify(vector["platform"], row, Options(**vector.get("options", {})))

    assert identified.identifiers[vector["field"]] == vector["sha256"]


@pytest.mark.parametrize("case", [case for case in VECTORS["disagreements"] if "ours" in case], ids=named)
def test_where_peers_disagree_the_vendor_is_followed(case):
    ours = normalise(case["platform"], case["field"], case["given"])

    assert ours == case["ours"], case["why"]
    assert ours not in case["theirs"]


@pytest.mark.parametrize("case", [case for case in VECTORS["disagreements"] if "refused" in case], ids=named)
def test_and_where_they_send_a_guess_nothing_is_sent(case):
    identified = identify(case["platform"], {"email": "ann@example.com", case["field"]: case["given"]})

    assert identified.dropped == {case["field"]: case["refused"]}, case["why"]


def test_mailchimp_names_members_by_md5():
    assert mailchimp_subscriber_hash(" Urist.McVankab@freddiesjerky.com ") == "21621082ce08752982233c3c5cd5b836"


def test_meta_is_shown_that_the_secret_is_known():
    plain = meta_appsecret_proof("app_secret", "ACCESS_TOKEN")
    timed = meta_appsecret_proof("app_secret", "ACCESS_TOKEN", 1_700_000_000)

    assert plain == "0217eefe1edc8ec3b21c00023a27d9f54750fd3c0dd3f5032bbfd6c92996f114"
    assert timed == "acc6fb62921a00bb90e4ca74a42ece076ba85b6d31c2ae8c691e65fda26b13fc"
