"""What is measured of prose: MassiveText's, C4's and FineWeb's figures of words, lines and what repeats.

Sources: Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights from Training Gopher"
(arXiv:2112.11446, appendix A.1.1); Raffel et al. 2020 (C4, arXiv:1910.10683, section 2.2); Penedo et al. 2024 (FineWeb,
arXiv:2406.17557). Words are runs between blanks, without the punctuation around them.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property

_PUNCTUATION = ".,;:!?\"'()[]{}…“”‘’«»„-–—*_`"
_ENDS = (".", "!", "?", "…", '"', "”", "»", ":", "。", "！", "？", "」")
_ELLIPSES = ("...", "…", "[…]")
_BULLETS = ("•", "‣", "▪", "◦", "·", "-", "*", "+")
_SHORT = 30
_OFTEN = 4
"""So often a run of words stands before it counts: in an answer of fifty words a name that stands twice is a tenth of it."""
_TALK = 0.2
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
"""Of the commonest run of so many words: the share of characters that it may have."""
_TWICE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
"""Of all runs of so many words that stand more than once: the same."""
_FRAMES = (
    *("privacy policy", "cookie policy", "terms of use", "terms of service", "all rights reserved", "uses cookies"),
    *("use of cookies", "use cookies", "enable javascript", "javascript is disabled", "subscribe to our newsletter"),
    *("sign up for our newsletter", "follow us on", "share this article", "click here to", "read more »", "skip to content"),
    *("datenschutzerklärung", "alle rechte vorbehalten", "newsletter abonnieren", "politique de confidentialité"),
    *("tous droits réservés", "política de privacidad", "todos los derechos reservados", "informativa sulla privacy"),
)  # fmt: skip
_COMMON = {
    "en": "the be to of and that have with is in it for you are",
    "de": "der die das und ist nicht zu ein eine in den mit auf für",
    "fr": "le la les de des et est un une que pour dans pas vous",
    "es": "el la los de que y en un una es por con para se",
    "it": "il la di che e un una per non è con sono del le",
    "pt": "o a os de que e um uma é em para com não do",
    "nl": "de het een en van is dat in op te niet voor met zijn",
    "sv": "och att det som en på är av för med den inte har till",
    "da": "og at det som en på er af for med den ikke har til",
    "pl": "i w na z do nie się że jest to o jak za od",
    "cs": "a v na se je že s z do o to jako pro není",
    "tr": "ve bir bu için ile da de çok olarak daha gibi en o ne",
    "ru": "и в не на с что как по это из у за для от",
    "uk": "і в не на з що як до та це за від для у",
    "id": "yang dan di untuk dengan dari ini itu pada adalah tidak ke akan dalam",
    "vi": "và của là có không được cho trong một các với này để người",
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
"""Each language's commonest words, by its ISO 639 code."""
_SCRIPTS = re.compile("[A-Za-z\u00c0-\u024f\u0400-\u04ff]")


class Prose:
    """A text, measured when it is asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.words = [word for raw in text.split() if (word := raw.strip(_PUNCTUATION))]
        """The words, without punctuation around them."""
        self.lines = [line for raw in text.splitlines() if (line := raw.strip())]
        """The lines that say something."""

    @property
    def count(self) -> int:
        """How many words."""
        return len(self.words)

    @cached_property
    def unspaced(self) -> bool:
        """Whether it is written without blanks between words (Chinese, Japanese, Thai, …), so that words say nothing."""
        return len(_UNSPACED.findall(self._text)) > 0.2 * len(self._text)

    @property
    def word_length(self) -> float:
        """Letters of a word in the mean."""
        return sum(map(len, self.words)) / max(self.count, 1)

    @property
    def symbols(self) -> float:
        """Hash signs and ellipses for each word."""
        return (self._text.count("#") + self._text.count("...") + self._text.count("…")) / max(self.count, 1)

    @cached_property
    def numbers(self) -> float:
        """The share of words without a letter."""
        return sum(not any(map(str.isalpha, word)) for word in self.words) / max(self.count, 1)

    @cached_property
    def knows_language(self) -> bool:
        """Whether it is talk in the letters of languages of which the commonest words are known."""
        return self.numbers <= _TALK and len(_SCRIPTS.findall(self._text)) > 0.5 * sum(
            map(str.isalpha, self._text)
        )

    @cached_property
    def stop_words(self) -> int:
        """Different common words of the language that has the most of them in it."""
        there = {word.casefold() for word in self.words}
        return max(len(there & common) for common in STOP_WORDS.values())

    @property
    def repeated_lines(self) -> float:
        """The share of lines that stood before."""
        return 1 - len(set(self.lines)) / max(len(self.lines), 1)

    @property
    def ellipsis(self) -> float:
        """The share of lines that end in an ellipsis; of several lines."""
        return self._lines(lambda line: line.endswith(_ELLIPSES)) if len(self.lines) > 1 else 0.0

    @property
    def bullets(self) -> float:
        """The share of lines that begin with a bullet."""
        return self._lines(lambda line: line.startswith(_BULLETS))

    @property
    def unended_lines(self) -> float:
        """The share of lines that end without punctuation."""
        return self._lines(lambda line: not line.endswith(_ENDS))

    @property
    def short_lines(self) -> float:
        """The share of lines below 30 characters."""
        return self._lines(lambda line: len(line) < _SHORT)

    @property
    def boilerplate(self) -> int:
        """Different phrases of web pages' frames."""
        text = self._text.casefold()
        return sum(phrase in text for phrase in _FRAMES)

    def repeats_words(self, times: float) -> bool:
        """Whether runs of words that repeat have more of the characters than MassiveText allows, times this."""
        whole = sum(map(len, self.words)) or 1
        for size, share in _TOP.items():
            runs = self._runs(size)
            run, count = runs.most_common(1)[0] if runs else ((), 0)
            if count >= _OFTEN and count * sum(map(len, run)) > times * share * whole:
                return True
        return any(self._twice(size) > times * share * whole for size, share in _TWICE.items())

    def _twice(self, size: int) -> int:
        """Characters of words that are in a run of `size` words which stood before, each counted once."""
        seen = set[tuple[str, ...]]()
        chars, upto = 0, 0
        for at in range(len(self.words) - size + 1):
            run = tuple(self.words[at : at + size])
            if run in seen:
                chars += sum(map(len, self.words[max(at, upto) : at + size]))
                upto = at + size
            seen.add(run)
        return chars

    def _runs(self, size: int) -> Counter[tuple[str, ...]]:
        return Counter(zip(*(self.words[start:] for start in range(size)), strict=False))

    def _lines(self, is_so: Callable[[str], bool]) -> float:
        return sum(map(is_so, self.lines)) / max(len(self.lines), 1)
