"""Grammar: sentences drawn from a small grammar, in a notation like Lark's and EBNF's.

    grammar = Grammar('''
        start: "SET" target "TO" value ("AFTER" NUMBER "s")?
        target: "heating" | "lamp"      // one of two
        value: "on" | NUMBER
        NUMBER: /[1-9][0-9]{0,2}/
    ''')
    grammar.sentence(random.Random(7))   →   "SET lamp TO on"

Rules in small letters put blanks between their parts, those in capitals none. `( )` groups, `|` chooses, `? * +` and
`{2}`, `{1,3}` repeat, `"…"` is a text, `/…/` a pattern of plain signs, `[a-z]` sets, `\\d \\w \\s` and the same repetitions;
`3:` before a choice makes it three times as likely; `//` begins a comment. A rule may use itself: the deeper a sentence
is, the shorter the ways that are left to it (cf. Purdom 1972, "A sentence generator for testing parsers").
"""

import math
import random
from collections.abc import Iterator

from tunewright.data.names import did_you_mean, listed
from tunewright.data.synthetic.grammar_rules import (
    Choice,
    GrammarError,
    Joined,
    Letters,
    Name,
    Part,
    Repeat,
    Row,
    Text,
    read_rules,
)

START = "start"
_DEEP = 12
"""Rules within rules from which only the shortest ways are taken."""
_LONGEST = 100_000
_RULES, _NESTED = 1000, 60
"""The most rules, and the most within one another on the shortest way."""


class Grammar:
    """Rules by name. Raises GrammarError where they cannot be read, or a sentence would never end."""

    def __init__(self, source: str) -> None:
        self.rules = read_rules(source)
        if len(self.rules) > _RULES:
            raise GrammarError(f"it has {len(self.rules):,} rules, and {_RULES:,} are read at most")
        if START not in self.rules:
            raise GrammarError(
                f"there is no rule {START!r}, with which sentences begin; there are {listed(self.rules)}"
            )
        for rule, part in self.rules.items():
            for name in _names(part):
                if name not in self.rules:
                    hint = did_you_mean(name, self.rules) or f"there are {listed(self.rules)}"
                    raise GrammarError(f"the rule {rule!r} uses {name!r}, which is no rule; {hint}")
        self._depths = _depths(self.rules)
        if (deep := self._depths[START]) > _NESTED and not math.isinf(deep):
            raise GrammarError(
                f"the rule {START!r} leads through {deep:.0f} rules, and {_NESTED} are followed at most"
            )
        endless = [rule for rule, depth in self._depths.items() if math.isinf(depth)]
        if endless:
            raise GrammarError(f"the rule {endless[0]!r} never ends: every way of it leads back to itself")

    def sentence(self, chance: random.Random) -> str:
        """A sentence. Raises GrammarError where it grows beyond all bounds."""
        return " ".join(word for word in self._said(Name(START), chance, 0, [_LONGEST]) if word)

    def _said(self, part: Part, chance: random.Random, depth: int, left: list[int]) -> Iterator[str]:
        """Its words; `left` is how much may still be said."""
        left[0] -= 1
        if left[0] < 0:
            raise GrammarError(f"a sentence grew beyond {_LONGEST:,} parts")
        match part:
            case Text(text):
                left[0] -= len(text)
                yield text
            case Letters(letters):
                yield chance.choice(letters)
            case Name(rule):
                words = self._said(self.rules[rule], chance, depth + 1, left)
                if rule.isupper():
                    yield "".join(words)
                else:
                    yield from words
            case Row(parts):
                for one in parts:
                    yield from self._said(one, chance, depth, left)
            case Joined(parts):
                yield "".join(word for one in parts for word in self._said(one, chance, depth, left))
            case Choice():
                yield from self._said(self._chosen(part, chance, depth), chance, depth, left)
            case Repeat(one, least, most):
                for _ in range(least if depth >= _DEEP else chance.randint(least, most)):
                    yield from self._said(one, chance, depth, left)

    def _chosen(self, choice: Choice, chance: random.Random, depth: int) -> Part:
        if depth >= _DEEP:
            return min(choice.ways, key=lambda way: _depth(way, self._depths))
        return chance.choices(choice.ways, choice.weights)[0]


def _names(part: Part) -> Iterator[str]:
    match part:
        case Name(rule):
            yield rule
        case Row(parts) | Joined(parts) | Choice(parts, _):
            for one in parts:
                yield from _names(one)
        case Repeat(one, _, _):
            yield from _names(one)


def _depth(part: Part, depths: dict[str, float]) -> float:
    """Rules within rules on the shortest way through a part."""
    match part:
        case Name(rule):
            return depths[rule] + 1
        case Row(parts) | Joined(parts):
            return max((_depth(one, depths) for one in parts), default=0.0)
        case Choice(ways, _):
            return min(_depth(way, depths) for way in ways)
        case Repeat(one, least, _):
            return _depth(one, depths) if least else 0.0
    return 0.0


def _depths(rules: dict[str, Part]) -> dict[str, float]:
    """Of each rule the depth of its shortest sentence; infinite where it has none."""
    depths = dict.fromkeys(rules, math.inf)
    for _ in rules:
        known = depths
        depths = {rule: _depth(part, known) for rule, part in rules.items()}
        if depths == known:
            break
    return depths
