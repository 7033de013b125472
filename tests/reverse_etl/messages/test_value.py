"""What data really holds where a name should be, and what passes."""

import pytest

from reverse_etl.messages.value import Flawed, fit, leftover

LEFTOVERS = """
[First_Name]
[FIRST NAME]
[first name]
[Your name here]
[Insert Name]
[[first_name]]
[recipient.name]
{{name}}
{{ first_name }}
{{contact.first_name}}
{{customer.firstName|default:"Friend"}}
{{{name}}}
{% if first_name %}
{{#if name}}
{name}
{first_name}
{0}
${name}
${first_name}
#{name}
$!{customer.name}
%FIRSTNAME%
%%First Name%%
%%=v(@name)=%%
*|FNAME|*
*|IF:FNAME|*
<<First Name>>
<<name>>
«FirstName»
<%= user.first_name %>
<?= $name ?>
@FirstName
@first_name@
$first_name
:first_name
__FIRST_NAME__
%(name)s
%s
&lt;%= name %&gt;
<first name>
<FirstName>
[object Object]
undefined
Hello undefined
""".strip().splitlines()
NOBODIES = [
    "null",
    "NULL",
    "None",
    "nan",
    "NaN",
    "N/A",
    "n/a",
    "unknown",
    "TEST",
    "fname",
    "First Name",
    "First_Name",
    "lastname",
    "Your Name",
    "xxx",
    "Guest",
    "customer",
    "(null)",
    "[null]",
    "asdf",
]
EMPTIES = [None, "", " ", "\t", "-", "--", ".", "?", "''", '""', "_", "\u00a0", "…"[:0]]
IMPLAUSIBLE = [
    "Win 1000 $ at evil.example", "http://evil.example", "Ann <script>", "ann@example.com", "R2D2", "Ann\u202eEvil",
    "Ann\x00", "Ann\u200b", "aaaaaa", "www evil", "1234", "Ann; drop table", "😀", "A" * 41 + "b",
]  # fmt: skip
NAMES = {
    "Ann": "Ann",
    " ann ": "Ann",
    "ANN": "Ann",
    "Anne-Marie": "Anne-Marie",
    "O'Brien": "O'Brien",
    "D’Angelo": "D’Angelo",
    "José": "José",
    "Jose\u0301": "José",
    "Zoë": "Zoë",
    "李": "李",
    "Мария": "Мария",
    "نور": "نور",
    "JP": "JP",
    "J. R.": "J. R.",
    "van der Berg": "van der Berg",
    "Ann\nMarie": "Ann Marie",
    "Bo": "Bo",
    "Name's": "Name's",
}


@pytest.mark.parametrize("value", [*LEFTOVERS, *NOBODIES])
@pytest.mark.parametrize("kind", ["name", "text"])
def test_a_placeholder_is_no_value(value, kind):
    with pytest.raises(Flawed):
        fit(value, kind)


@pytest.mark.parametrize("value", EMPTIES)
@pytest.mark.parametrize("kind", ["name", "text", "url"])
def test_nothing_is_no_value(value, kind):
    with pytest.raises(Flawed, match="missing"):
        fit(value, kind)


@pytest.mark.parametrize("value", IMPLAUSIBLE)
def test_what_no_person_is_called_is_no_name(value):
    with pytest.raises(Flawed):
        fit(value, "name")


@pytest.mark.parametrize(("given", "written"), NAMES.items())
def test_names_of_people_stay(given, written):
    assert fit(given, "name") == written


@pytest.mark.parametrize(
    "title",
    ["100% cotton", "Lamp [rear]", "Nuts & bolts <3 mm>", "Size: M", "T-shirt {2 pack", "50% off", "A/B test tube",
     "#1 Dad mug",
     "Name plates, brass", "E-mail: the book", "$5 voucher", "Order & chaos", "9:30 train set", "Salt_Pepper"],
)  # fmt: skip
def test_titles_of_products_stay(title):
    assert fit(title, "text") == title


@pytest.mark.parametrize("text", LEFTOVERS)
def test_a_leftover_is_seen_inside_a_sentence_too(text):
    assert leftover(f"Hello {text}, welcome")


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (1048.5, "amount", "1,048.50"),
        ("9.99", "amount", "9.99"),
        (3, "integer", "3"),
        ("2026-11-26", "date", "November 26, 2026"),
        ("https://shop.example/cart?a=1", "url", "https://shop.example/cart?a=1"),
    ],
)
def test_how_values_are_written(value, kind, written):
    assert fit(value, kind) == written


@pytest.mark.parametrize(
    ("value", "kind"),
    [(0, "amount"), (-1, "amount"), ("NaN", "amount"), (float("inf"), "amount"), (True, "integer"), (1.5, "integer"),
     ("tomorrow", "date"), ("javascript:alert(1)", "url"), ("http://shop.example", "url"), ("https://a b", "url")],
)  # fmt: skip
def test_values_that_are_none(value, kind):
    with pytest.raises(Flawed):
        fit(value, kind)


def test_a_flaw_never_quotes_the_value():
    with pytest.raises(Flawed) as flaw:
        fit("secret@example.com", "name")
    assert "secret" not in str(flaw.value)
