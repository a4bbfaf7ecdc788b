"""Hidden characters, written out: what a terminal would obey, and what a reader cannot see.

    visible("safe\x1b[2J")  # safe⟨001B⟩[2J

Control characters steer a terminal and cannot stand in HTML. Format characters show nothing: bidirectional ones make text
read as another, tags and zero-width ones carry text that only a machine reads.
"""

import re
import unicodedata

_UNUSUAL = re.compile(r"[^\t\n -~]")
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories: control, format, surrogate, line and paragraph separator."""
_DRAWN = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that show: signs drawn around numbers in Arabic, Syriac and Kaithi."""
_JOINERS = {"\u200c", "\u200d"}
_LATER = "\u0590"
"""From here on scripts have joiners; Latin, Greek, Cyrillic and Armenian lie below and have none."""


def visible(text: str) -> str:
    """The text with hidden characters written out: a zero byte becomes ⟨0000⟩. Line ends become \\n.

    A joiner stays where it does its work: between two letters of a script that has joiners, or two signs of an emoji.
    """
    return _UNUSUAL.sub(_shown, text.replace("\r\n", "\n").replace("\r", "\n"))


def _shown(match: re.Match[str]) -> str:
    sign = match[0]
    if unicodedata.category(sign) not in _HIDDEN or sign in _DRAWN or (sign in _JOINERS and _joins(match)):
        return sign
    return f"⟨{ord(sign):04X}⟩"


def _joins(match: re.Match[str]) -> bool:
    sides = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    return all(side >= _LATER and unicodedata.category(side)[0] in "LMS" for side in sides)
