"""How somebody is reached: e-mail addresses, phone numbers, web addresses, IP addresses."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from tunewright.data.redact.hints import hint_words, hints_in
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import digit_runs, folded, in_order, long_numbers, matches, occurrences

_EMAIL = re.compile(
    r"(?<![\w.+%-])(?<!\w')[\w](?:[\w.+%'&-]{0,62}[\w+-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_LONGEST_NAME = 64
_LOGIN = re.compile(r"://[^\s/@]*:$")
_EMAIL_SPELT = re.compile(
    r"(?i)(?<![\w.+-])[a-z][\w.+-]{1,40} ?[(\[]at[)\]] ?(?:[a-z0-9-]{1,40} ?(?:\.|[(\[]dot[)\]]) ?){1,4}[a-z]{2,10}\b"
)
_URL = re.compile(r"(?i)(?<![a-z0-9+.@-])(?:(?:https?|ftps?|wss?)://|www\.)[^\s<>\"'`{}|\\^\u3000]{2,2000}")
_TRAILING = ".,;:!?*_~”’»"
_IPV4 = re.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d|\w)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)"
)
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
"""What stands in each."""
_RESOLVERS = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9")
_VERSION = re.compile(r"(?i)(?:\bv(?:er(?:sion|\.)?)?|release|build|\boid|section|§)\s{0,2}[=:]?\s{0,2}$")

_PHONE = re.compile(
    r"(?<![\w./$€£#=+*@-])(?<!\d[ ,:])(?<!::)(?:"
    # international: a plus sign or 00, then up to 15 digits in groups
    r"(?P<international>(?:\+|00)[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{1,5}){1,6}"
    r"|001-\d{3}-\d{3}-\d{4})"
    # North America: area, exchange, line
    r"|(?P<american>(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]?\d{2,3}[ .-]\d{4})"
    r"|(?P<bare>[2-9]\d{2}[2-9]\d{6})"
    # national: an area code in brackets, a leading zero, or groups as they are written in Europe
    r"|(?P<bracketed>\(\d{2,5}\)[ .-]?\d{2,4}(?:[ .-]?\d{2,4}){1,3})"
    r"|(?P<trunk>0\d{1,4}(?:[ .-]\d{2,4}){2,4}|0\d{1,4}[ -]\d{5,9})"
    r"|(?P<pairs>\d{2}(?P<gap>[ .-])\d{2}(?P=gap)\d{2}(?P=gap)\d{2}(?:(?P=gap)\d{2})?)"
    r"|(?P<spaced>[2-9]\d{1,2} \d{3} \d{3,4}(?: \d{4})?|[2-9]\d{2} \d{2} \d{3}|[2-9]\d{2}[ -]\d{4}|[2-9]\d{3} \d{4}"
    r"|[2-9]\d \d{6}|[2-9]\d{2} \d{6,7}|[2-9]\d{2}(?: \d{2}){3}|1[3-9]\d \d{4} \d{4})"
    r")(?:[ ,]{0,2}(?:x|ext\.?|extension|#) ?\d{1,6})?(?![\w%/=+*]|[-.,:]\d| \d|-[0-9a-f]{4}(?!\w))"
)
_NAMED_PHONE = re.compile(
    r"(?i)(?<![a-z])(?:phone|tel(?:ephone)?|mobile|cell(?:phone)?|call(?: me| us)?|fax|whatsapp|sms|text me|telefon|handy"
    r"|t[ée]l[ée]phone|tel[ée]fono)(?: ?(?:number|no\.?|nr\.?|#))?(?: (?:is|at|on|to|under))?[ .:=(]{0,4}"
    r"(\+?\d(?:[ ()./-]{0,2}\d){5,14})(?![\w%=]|[.,]\d)"
)
_CALLED = hint_words(
    *("phone", "tel", "mobile", "cell", "call", "fax", "whatsapp", "sms", "text me", "handy", "tél")
)
"""What a named phone number begins with."""
_BYTE_BEFORE = re.compile(r"(?<![0-9a-zA-Z])[0-9a-fA-F]{2}[ :-]$")
_BYTE_AFTER = re.compile(r"[ :-][0-9a-fA-F]{2}(?![0-9a-zA-Z])")
_DATE = re.compile(
    r"(?:19|20)\d{2}[ .-]\d{1,2}[ .-]\d{1,2}|\d{1,2}[ .-]\d{1,2}[ .-](?:19|20)\d{2}"
    r"|(?:1[5-9]|20)\d{2}[ -](?:1[5-9]|20)\d{2}|(?:19|20)\d{2}[ .-]?[01]\d[ .-]?[0-3]\d(?:[ .-]?\d{2})*"
)
_SURE = {
    "international": 0.9,
    "american": 0.85,
    "bare": 0.6,
    "bracketed": 0.7,
    "trunk": 0.75,
    "pairs": 0.65,
    "spaced": 0.6,
}
_DIGITS = {"international": (8, 15), "american": (10, 11), "trunk": (8, 12), "bracketed": (7, 12)}
_NOT_A_PHONE = re.compile(
    r"(?i)(?:isbn(?:-1[03])?|issn|doi|order|invoice|ref(?:erence)?|serial|sku|version|v|id|port|pages?|rfc)"
    r"[ .:#=]{0,3}(?:no\.?|number|nr\.?)?[ .:#=]{0,3}$"
)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, `name (at) host (dot) org` too."""
    if "@" in text:
        for match in _around_at(text):
            if _LOGIN.search(text, max(0, match.start() - 100), match.start()):
                continue  # user:password@host
            yield Span(Kind.EMAIL, *match.span(), "email", 0.95)
    if (")" in text and "at)" in text) or ("]" in text and "at]" in text):
        for match in _EMAIL_SPELT.finditer(text):
            yield Span(Kind.EMAIL, *match.span(), "email_spelt", 0.8)


def _around_at(text: str) -> Iterator[re.Match[str]]:
    """The matches of _EMAIL: none begins farther before its @ than a name is long."""
    at = 0
    while (sign := text.find("@", at)) >= 0:
        match = _EMAIL.search(text, max(at, sign - _LONGEST_NAME))
        if match is None:
            return
        yield match
        at = match.end()


def find_urls(text: str) -> Iterator[Span]:
    """Web addresses that name their scheme, or begin with www."""
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TRAILING)
        for opening, closing in ("()", "[]"):
            spare = url.count(closing) - url.count(opening)
            while spare > 0 and url.endswith(closing):
                url, spare = url[:-1].rstrip(_TRAILING), spare - 1
        yield Span(Kind.URL, match.start(), match.start() + len(url), "url", 0.95)


def find_ips(text: str) -> Iterator[Span]:
    """IP addresses that may be somebody's: not those of the machine itself, nor version numbers."""
    if text.count(".") >= 3:
        for match in matches(_IPV4, text, digit_runs(text)):
            if _ipv4(match[0]) and not _VERSION.search(text, max(0, match.start() - 12), match.start()):
                yield Span(Kind.IP, *match.span(), "ipv4", 0.9)
    if _COLONS.search(text):
        for match in _IPV6.finditer(text):
            if _ipv6(match[0]):
                yield Span(Kind.IP, *match.span(), "ipv6", 0.9)


def find_phones(text: str) -> Iterator[Span]:
    """Phone numbers: in the usual groupings of North America and Europe, or any digits beside a word that says so."""
    numbers = long_numbers(text)
    if not numbers:
        return
    signs = occurrences(text, "+(")
    for match in matches(_PHONE, text, in_order(numbers, signs)):
        found = next(name for name in _SURE if match[name] is not None)
        least, most = _DIGITS.get(found, (7, 12))
        digits = re.sub(r"\D", "", match[found])
        if not least <= len(digits) <= most or len(set(digits)) < 3 or _dated(match[0]):
            continue
        if found == "pairs" and _in_hex(text, match.start(), match.end()):
            continue
        if _NOT_A_PHONE.search(text, max(0, match.start() - 24), match.start()):
            continue
        yield Span(Kind.PHONE, *match.span(), f"phone_{found}", _SURE[found])
    for match in _named_phones(text):
        if not _dated(match[1]):
            yield Span(Kind.PHONE, *match.span(1), "phone_named", 0.85)


def _named_phones(text: str) -> Iterator[re.Match[str]]:
    called = hints_in(text) & _CALLED
    if not called:
        return iter(())
    plain = folded(text)
    if len(plain) != len(text):  # the places are others
        return _NAMED_PHONE.finditer(text)
    return matches(_NAMED_PHONE, text, occurrences(plain, called))


def _in_hex(text: str, start: int, end: int) -> bool:
    """Whether two hexadecimal digits stand beside it: bytes, written out."""
    return bool(_BYTE_BEFORE.search(text, max(0, start - 4), start) or _BYTE_AFTER.match(text, end))


def _dated(number: str) -> bool:
    """Whether it reads as a date, a time or a range of years."""
    return _DATE.fullmatch(number) is not None


def _ipv4(written: str) -> bool:
    try:
        address = IPv4Address(written)
    except AddressValueError:
        return False
    nobodys = (
        address.is_loopback or address.is_unspecified or address.is_multicast or written.startswith("255.")
    )
    return not nobodys and written not in _RESOLVERS


def _ipv6(written: str) -> bool:
    groups = [group for group in written.split(":") if group]
    if len(groups) < 3 or not any(sign.isdigit() for sign in written):
        return False
    try:
        address = IPv6Address(written)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
