"""First and last names."""

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.rules.text import lower, nfc, present, spaced, without_punctuation

# Google names Mrs. and Jr. as examples and gives no list [K]. "Don" and "Md" begin real names: "md" only ends one.
PREFIXES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "rev"}
SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"}


def meta(text: str, _: Context) -> str:
    """Lower-case, no punctuation, letters of any alphabet in UTF-8 [D]; words stay apart by one space [C].

    Meta's own SDK strips whatever isn't a–z and with it every é: we don't.
    """
    return present(lower(without_punctuation(text)))


def meta_initial(text: str, context: Context) -> str:
    """Take the first letter of the name, lower-case [D]; peers hash `ms.` for `Ms.`, we hash `m`."""
    return meta(text, context)[0]


def google(text: str, context: Context) -> str:
    """Lower-case, trimmed, no punctuation, no prefix such as Mrs., no suffix such as Jr. [D].

    A title that is all there is stays: it may be the name.
    """
    words = meta(text, context).split()
    while len(words) > 1 and words[0] in PREFIXES:
        words = words[1:]
    while len(words) > 1 and words[-1] in SUFFIXES:
        words = words[:-1]
    return " ".join(words)


def written(text: str, _: Context) -> str:
    """As a person wrote it, trimmed: for tools that show the name [C]."""
    return present(nfc(spaced(text)))
