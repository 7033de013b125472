"""What a value must be before it stands in a message: a name that is one, an amount, a day, no leftover of a template.

Data is full of what other systems failed to fill in: `[First_Name]`, `{{name}}`, `null`. Such a value counts as
missing. A name is letters: whoever registers as `Win 1000 $ at evil.example` is greeted by the fallback.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Kind = Literal["text", "name", "amount", "integer", "date", "url"]
LONGEST = {"name": 40, "text": 200, "url": 500}

# Words that mean that there is no value; compared without case, dots and underscores.
NOBODY_WORDS = """
null nil none nan undefined unknown unnamed missing void empty blank n/a #n/a tbd todo test tester testing dummy
sample example placeholder redacted deleted anonymous anonymized guest customer user fname lname firstname
lastname fullname username givenname surname name yourname insertname insert field value string object
objectobject foo bar foobar asdf qwerty xxx xxxx lorem
"""
NOBODY = frozenset(NOBODY_WORDS.split())
FIELD_WORDS = (
    "name|first|last|fname|lname|full|user|customer|client|recipient|contact|subscriber|email|mail|phone|company|city|"
    "product|item|price|amount|order|cart|date|code|coupon|discount|title|link|url|insert|your|here|placeholder|merge|"
    "field|value|variable|personali[sz]ation|token"
)
LEFTOVER = re.compile(
    rf"""
    \{{\{{ | \}}\}} | \{{% | %\}} | \{{\# | \#\}}                  # Jinja, Liquid, Handlebars, Mustache
    | \$\{{ | \#\{{ | \$[A-Za-z]*\(\w* | @\{{ | \$!\{{?\w            # shells, JavaScript, Ruby, Velocity
    | <%|%> | <\?\w | \?> | &lt;%|%&gt;                         # ERB, ASP, PHP, also escaped
    | %%[^%\n]{{1,60}}%% | %[A-Z][A-Z0-9_]{{2,40}}% | \*\|[^|\n]{{1,60}}\|\*  # Salesforce, batch files, Mailchimp
    | <<[^<>\n]{{1,60}}>> | «[^»\n]{{1,60}}» | &lt;&lt; | \[\[ | \]\]   # mail merge, wikis
    | (?<!\{{)\{{\ *[A-Za-z_][\w.\ -]{{0,40}}\}} | \{{\d+\}}             # str.format
    | %\(\w+\)[sd] | (?<![\w%])%[sd](?![\w%])                   # printf
    | \[(?:[A-Za-z]+[_.][\w.]*|(?i:[\w\ .-]*\b(?:{FIELD_WORDS})\b[\w\ .-]*))\] # [First_Name], [Your name here]
    | (?<![\w@.])(?:@|\#|\$|:|%|&)?(?i:first_?name|last_?name|full_?name|user_?name)(?:@|\#|\$|%)?(?!\w) # @FirstName
    | <(?i:[\w ]*(?:first|last|full|user|customer)[ _-]?name)> | __[A-Z][A-Z_]*__
    | \[object\ Object\] | \\u[0-9a-fA-F]{{4}} | \bundefined\b
    """,
    re.VERBOSE,
)
NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’.·-](?=[^\W_]|$)|\.(?= ))*")


class Flawed(ValueError):
    """The value can't be used; the message is a code, never the value."""


def leftover(text: str) -> bool:
    """Whether a template stands in it that nobody filled in."""
    return bool(LEFTOVER.search(text))


def fit(value: Any, kind: Kind) -> str:
    """Write the value as it may stand in a text; raises Flawed with a reason."""
    if value is None:
        raise Flawed("missing")
    return _FIT[kind](value)


def _tidy(value: Any, longest: int) -> str:
    text = unicodedata.normalize("NFC", str(value))
    if any(
        unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn"} and letter not in "\t\n\r" for letter in text
    ):
        raise Flawed("implausible")
    text = " ".join(text.split())
    if not text.strip(" .,-_?!*/'\""):
        raise Flawed("missing")
    if _is_nobody(text) or leftover(text):
        raise Flawed("placeholder")
    if len(text) > longest:
        raise Flawed("too_long")
    return text


def _is_nobody(text: str) -> bool:
    return re.sub(r"[\s._-]", "", text.casefold()).strip("[](){}<>") in NOBODY or text.casefold() in NOBODY


def _text(value: Any) -> str:
    return _tidy(value, LONGEST["text"])


def _name(value: Any) -> str:
    text = _tidy(value, LONGEST["name"])
    if any(_is_nobody(word) for word in text.split()):
        raise Flawed("placeholder")
    if not NAME.fullmatch(text) or re.search(r"(?i)\bwww\b|(.)\1{3}", text):
        raise Flawed("implausible")
    return text.title() if text.islower() or (text.isupper() and len(text) > 2) else text  # noqa: PLR2004 - initials


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Flawed("implausible") from error
    if isinstance(value, bool) or not number.is_finite():
        raise Flawed("implausible")
    return number


def _amount(value: Any) -> str:
    number = _number(value)
    if number <= 0:
        raise Flawed("implausible")  # nobody is told of a cart worth nothing
    return f"{number:,.2f}"


def _integer(value: Any) -> str:
    number = _number(value)
    if number != number.to_integral_value():
        raise Flawed("implausible")
    return f"{number:,.0f}"


def _date(value: Any) -> str:
    if not isinstance(value, date):
        try:
            value = date.fromisoformat(str(value)[:10])
        except ValueError as error:
            raise Flawed("implausible") from error
    return f"{value:%B} {value.day}, {value.year}"


def _url(value: Any) -> str:
    text = _tidy(value, LONGEST["url"])
    if not re.fullmatch(r"https://[^\s<>\"'`{}|\\^]+", text):
        raise Flawed("implausible")
    return text


_FIT: dict[Kind, Callable[[Any], str]] = {
    "text": _text,
    "name": _name,
    "amount": _amount,
    "integer": _integer,
    "date": _date,
    "url": _url,
}
