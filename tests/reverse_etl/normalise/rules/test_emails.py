import pytest

from reverse_etl.normalise import Options, Unusable, normalise

EVERYWHERE = ["meta", "google", "tiktok", "linkedin", "snap", "x", "klaviyo", "hubspot", "mailchimp"]


@pytest.mark.parametrize("platform", EVERYWHERE)
def test_everybody_trims_and_lowers(platform):
    assert normalise(platform, "email", "\t Ann.Test@Example.COM\u00a0\n") == "ann.test@example.com"


@pytest.mark.parametrize("platform", EVERYWHERE)
@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@example.",
        "ann@@example.com",
        "a@b@example.com",
        "ann@exa\u200bmple.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_cant_be_an_address_is_nobodys(platform, text):
    with pytest.raises(Unusable, match="malformed"):
        normalise(platform, "email", text)


def test_only_google_drops_spaces_within():
    assert normalise("google", "email", "ann test@example.com") == "anntest@example.com"
    with pytest.raises(Unusable, match="malformed"):
        normalise("meta", "email", "ann test@example.com")


@pytest.mark.parametrize("domain", ["gmail.com", "googlemail.com"])
def test_google_knows_its_own_mailboxes(domain):
    assert normalise("google", "email", f"A.n.n+shop+1@{domain}") == f"ann@{domain}"


def test_google_leaves_other_domains_their_dots_and_suffixes():
    for domain in ("example.com", "mail.gmail.com", "notgmail.com"):
        assert normalise("google", "email", f"a.b+x@{domain}") == f"a.b+x@{domain}"


def test_the_suffix_stays_if_you_say_so():
    assert normalise("google", "email", "a.b+x@gmail.com", Options(gmail_strip_plus=False)) == "ab+x@gmail.com"


@pytest.mark.parametrize(
    ("platform", "text"), [("google", "+x@gmail.com"), ("google", "..@gmail.com"), ("tiktok", "+x@e.com")]
)
def test_an_address_of_a_suffix_alone_is_nobodys(platform, text):
    with pytest.raises(Unusable, match="malformed"):
        normalise(platform, "email", text)


def test_an_address_in_another_script_is_one():
    assert normalise("meta", "email", "ТЕСТ@пример.example") == "тест@пример.example"


def test_an_accent_is_spelt_one_way():
    assert normalise("meta", "email", "VALE\u0301RY@example.com") == "val\u00e9ry@example.com"
