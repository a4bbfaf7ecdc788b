"""What stands around a name and gives it away: titles, greetings, signatures, "my name is", "… says"."""

import re
from collections.abc import Iterator

import regex

from tunewright.data.redact.hints import hint_words, hints_in
from tunewright.data.redact.patterns import one_of
from tunewright.data.redact.starts import folded, matches, occurrences

NAME = r"\p{Lu}[\p{L}\p{M}]*+(?:['’-]\p{L}[\p{L}\p{M}]*+)*+"
"""One capitalised word, hyphens and apostrophes inside it included."""
_TITLES = (
    "mr mrs ms mx miss dr prof professor sir madam madame mme mlle monsieur herr herrn frau fräulein señor señora"
    " señorita sr sra srta doña signor signora signorina dott dottor pan pani dhr mevr meneer mevrouw fru reverend rev"
    " sgt lt capt captain judge senator nurse uncle aunt auntie grandma grandpa lord lady coach officer sister"
)
_KIN = (
    "son daughter wife husband partner brother sister mother father mom mum dad cousin uncle aunt nephew niece kid child"
    " girlfriend boyfriend fiancé fiancée fiance fiancee friend neighbour neighbor colleague boss manager roommate"
    " landlord teacher doctor assistant client patient customer employee agent producer director author singer artist"
    " actor actress driver ceo secretary lawyer"
)
_OWNED = "house address account number email phone birthday wedding card novel book team"
_SAYS = "say says said asked asks replied wrote writes shouted whispered told explained smiled laughed lives lived married"
_DOES = (
    "works worked moved called emailed added flew grew began started decided bought wants wanted"
    " thinks has had is was will"
)
_GREETINGS = (
    "hi hello hey dear hallo hola ciao bonjour liebe lieber cher chère chere estimado estimada thanks"
)
_ENDINGS = (
    "regards sincerely cheers yours truly faithfully best wishes thanks thank_you love"
    " grüße gruss gruß grüsse saludos cordialement"
)
_FIELDS = (
    "from to cc attn attention contact author sender recipient patient client customer signed directed_by written_by"
    " billing_address shipping_address bill_to ship_to"
)
_BESIDE = "by with featuring to between ask met meet contact from and of producer director add"
_MY_NAME = r"(?:my|his|her|the)[ ](?:full[ ]|last[ ]|first[ ]|sur)?name(?:[ ]is|['’]s)"


_NAMED = (
    _MY_NAME,
    r"(?:last|first|full|sur)?[ ]?name[ ]?[:=]",
    r"name[ ]of",
    r"(?:is|was|be|been|am|are|and)[ ](?:called|named)",
    r"calls?[ ]me",
    r"named",
    r"speaking[ ]with",
    r"(?:card|account[ ])holder:?",
    r"beneficiary:?",
    r"signed[ ]by",
    r"(?:name(?:[ ]on[ ](?:the|my|your)[ ][a-z]{1,20})?|surname)\?(?:\s{0,3}user:)?",
    *(r"mein[ ]name[ ]ist", r"ich[ ]hei(?:ß|ss)e", r"je[ ]m['’]appelle", r"me[ ]llamo", r"mi[ ]nombre[ ]es"),
    *(r"mi[ ]chiamo", r"meu[ ]nome[ ][ée]", r"nazywam[ ]si[ęe]"),
)
VOUCHERS = {
    "title": (0.95, rf"(?<!\p{{L}})(?i:{one_of(_TITLES)})\.?[ ]+"),
    "named": (0.9, rf"(?i:{'|'.join(_NAMED)})[ \t]+"),
    "greeting": (
        0.8,
        rf"(?:^|[\n.!?>\"“][ ]?)(?i:{one_of(_GREETINGS)}|thank[ ]you|good[ ](?:morning|afternoon|evening)),?[ ]+",
    ),
    "signed": (0.85, rf"(?<!\p{{L}})(?i:{one_of(_ENDINGS)})[,.!]?[ \t]*\n[\s>]*"),
    "header": (0.8, rf"(?:^|\n)[ >\t]*(?i:{one_of(_FIELDS)})[ ]?:[ \t]*"),
    "kin": (
        0.8,
        rf"(?<!\p{{L}})(?i:(?:my|his|her|our|their|your|the|ex)[ -](?:[a-z]{{2,12}}[ ])?{one_of(_KIN)}),?[ ]+",
    ),
    "by": (0.5, rf"(?<!\p{{L}})(?i:{one_of(_BESIDE)})[ ]+"),
}
"""What may stand before a name → how sure it makes one, and its pattern."""
BEFORE = regex.compile(
    f"(?:{'|'.join(f'(?P<{name}>{pattern})' for name, (_, pattern) in VOUCHERS.items())})$"
)
"""The voucher that ends where a name begins; its group says which."""
_LAST_WORDS = frozenset(
    word
    for words in (
        *(_TITLES, _GREETINGS, _ENDINGS, _FIELDS, _KIN, _BESIDE),
        "you morning afternoon evening is s name of called named me with holder beneficiary by user surname ist heiße"
        " heisse appelle llamo es chiamo é e się sie",
    )
    for word in words.replace("_", " ").split()
)
"""The last word of each voucher, but for those that end in a question."""
_TITLE_WORDS = frozenset(_TITLES.split())
_ENDING_WORDS = frozenset(ending.rpartition("_")[2] for ending in _ENDINGS.split())
"""The last word of `signed`, the only voucher that goes on over the ends of lines."""
_DOTTED = tuple(f"{title}." for title in _TITLES.split())
_TITLE_TAILS = frozenset(title[-2:] for title in _TITLES.split())
_LONGEST_TITLE = 1 + max(map(len, _TITLES.split()))
_LAST_WORD = re.compile(r"([\W\d_]*)([^\W\d_]*)")


def may_vouch(text: str, begin: int, end: int) -> bool:
    """Whether one of VOUCHERS may stand at the end of this stretch of a text: not where a sentence ends, as before most
    capitals."""
    signs = text[end - 2 : end]
    if signs == "! " or end == begin:
        return False
    if signs == ". ":  # a title's dot, or a sentence's
        tail = text[end - 4 : end - 2]
        if tail.isascii() and tail.lower() not in _TITLE_TAILS:
            return False
    head = text[begin:end]
    if signs == "? ":
        return "name" in head.lower()
    if signs == ". " and head.isascii():
        return head[-1 - _LONGEST_TITLE : -1].lower().endswith(_DOTTED)
    match = _LAST_WORD.match(head[::-1])
    if match is None:
        return False
    signs, word = match.groups()
    if "?" in signs and "name" in head.lower():
        return True
    known = _LAST_WORDS
    # the last sign of all may stand behind any voucher: BEFORE's `$` stands before a last line's end, too
    if "\n" in signs[1:]:
        known = _ENDING_WORDS
    elif "\n" not in signs and ("." in signs or "!" in signs):  # a title's dot, or a sentence's
        known = _TITLE_WORDS
    return not word.isascii() or word[::-1].lower() in known


AFTER = regex.compile(
    rf"(?:(?P<says>,?[ ](?:{one_of(_SAYS)})(?!\p{{L}}))|(?P<speaks>:[ ]?[\"“])"
    rf"|(?P<whose>['’]s[ ](?:{one_of(_KIN)}|{one_of(_OWNED)})(?!\p{{L}}))|(?P<does>[ ]{one_of(_DOES)}(?!\p{{L}})))"
)
AFTER_HEADS = (
    *(f"{sign} {word}" for word in _SAYS.split() for sign in ("", ",")),
    *(f" {word}" for word in _DOES.split()),
    *(':"', ":“", ': "', ": “", "'s ", "’s "),
)
"""What AFTER begins with."""
SPOKEN_TAILS = tuple(f"{word} " for word in _SAYS.split())
SPOKEN = regex.compile(rf"[\"”’,][ ]{one_of(_SAYS)}[ ]$")
BESIDE_BEFORE = regex.compile(rf"({NAME})(?:,|,?[ ]and|,?[ ]&)[ ]$")
BESIDE_AFTER = regex.compile(rf"(?:,|,?[ ]and|,?[ ]&)[ ]({NAME})")
LINE_START, LINE_END = regex.compile(r"(?:^|\n)[ >\t]*$"), regex.compile(r"[ \t]*(?:\n|$)")
_NAME_HINTS = hint_words("name is", "name's", "name’s", "name:", "name :")
_SMALL_HINTS = _NAME_HINTS | hint_words(
    *("regards,", "regards\n", "call me", "this is", "i am", "i'm", "i’m"),
    *(f"{title}{sign}" for title in ("mr", "mrs", "ms", "dr") for sign in (".", " ", "\t")),
)
IN_SMALL = regex.compile(
    rf"(?i)(?<!\p{{L}})(?:{_MY_NAME}|call[ ]me|this[ ]is"
    r"|i[ ]am|i['’]m|regards,?\n|name[ ]?:|mr\.?|mrs\.?|ms\.?|dr\.?)[ \t]{1,6}"
    r"(\p{L}[\p{L}'’-]*+\.?(?:[ ]\p{L}[\p{L}'’-]*+\.?){0,3})"
)


_WHOSE = ("my ", "his ", "her ", "the ")


def in_small(text: str) -> Iterator["regex.Match[str]"]:
    """The matches of IN_SMALL."""
    heads = hints_in(text) & _SMALL_HINTS
    if not heads:
        return iter(())
    plain = folded(text)
    if len(plain) != len(text):  # the places are others
        return IN_SMALL.finditer(text)
    whose = () if heads.isdisjoint(_NAME_HINTS) else _WHOSE
    return matches(IN_SMALL, text, occurrences(plain, (*heads, *whose)))


PLACES = frozenset(
    (
        *(
            "high",
            "hills",
            "shores",
            "valley",
            "beach",
            "lake",
            "springs",
            "monument",
            "river",
            "island",
            "school",
        ),
        *(
            "university",
            "college",
            "street",
            "avenue",
            "ave",
            "road",
            "lane",
            "drive",
            "square",
            "hospital",
            "airport",
        ),
        *(
            "station",
            "hotel",
            "bank",
            "inc",
            "ltd",
            "llc",
            "gmbh",
            "corp",
            "corporation",
            "company",
            "co",
            "group",
        ),
        *(
            "foundation",
            "museum",
            "church",
            "mosque",
            "stadium",
            "bridge",
            "tower",
            "institute",
            "theorem",
            "award",
        ),
        *("prize", "disease", "syndrome", "county", "city", "building", "park", "tree"),
    )
)
"""What makes the words before it a place, a firm or a thing named after somebody."""
SHAPED = regex.compile(
    r"(?:[^aeiou]sen|s?s[oó]n|d[óo]ttir|[^aeio]ov[aá]?|[^aeio]ev[aá]?|[^aeiou]ová|[oe]vi[cćč]|ski|sk[aáý]|cki|cka|wicz"
    r"|czyk|czak|[aäoöuyi]nen|str[öo]m|qvist|quist|gren|lund|holm|dahl|gaard|gård|mann|berg(?:er|ová)?|itz|escu|opoulos"
    r"|akis|idis|enko|chuk|shvili|dze|yan|ez|inho|eira|ini|etti|ucci|elli|sz[kt]y|ffy|auskas|veen|stra)$"
)
"""Endings of surnames, Nordic, Slavic, Romance and others."""
ENGLISH = regex.compile(
    r"(?:ing|ions?|ment|ness|ity|[eo]rs?|[^aiou]s|ed|ly|al|ic|ive|able|ible|ism|ware|ful|less|ance|ence)$"
)
"""Endings of ordinary words: one of those needs more than a verb behind it to be a name."""
CAMEL = regex.compile(r"(?<!^(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O['’]))(?<=\p{Ll})\p{Lu}|^\p{Lu}{2}")
"""Capitals inside a word, as no name but McKay and its like has them."""
