"""What a redaction tells: counts, masked samples, and what it did not look for. Never what it found."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tunewright.data.redact.span import Kind, Span

SAMPLES = 5
"""Masked samples kept of a kind."""
_NEVER = (
    "names in scripts other than Latin, save where something around them gives them away",
    "dates of birth, ages and health",
    "organisations, towns that stand alone, user names",
    "pictures, and text inside them",
)


@dataclass
class Report:
    """Tallies of one redaction; `merge` adds those of more conversations."""

    kinds: tuple[Kind, ...] = ()
    """What was looked for."""
    ner: bool = False
    """Whether a model helped with names."""
    texts: int = 0
    characters: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    """How often each rule found something, as `kind.rule`."""
    samples: dict[Kind, list[str]] = field(default_factory=dict)
    """Up to `SAMPLES` different masked forms of each kind."""

    def take(self, texts: Sequence[str], found: Sequence[Sequence[Span]]) -> None:
        """Count what was found in each of these texts."""
        self.texts += len(texts)
        self.characters += sum(map(len, texts))
        counts, rules, told = self.counts, self.rules, self.samples
        for text, spans in zip(texts, found, strict=True):
            for kind, start, end, rule, _ in spans:
                counts[kind] += 1
                rules[f"{kind}.{rule}"] += 1
                if (samples := told.get(kind)) is None:
                    samples = told[kind] = []
                if len(samples) < SAMPLES and (mask := masked(kind, text[start:end])) not in samples:
                    samples.append(mask)

    def merge(self, other: "Report") -> None:
        """Add another conversation's tallies, found by the same redactor."""
        self.texts += other.texts
        self.characters += other.characters
        self.counts += other.counts
        self.rules += other.rules
        for kind, masks in other.samples.items():
            samples = self.samples.setdefault(kind, [])
            samples += [mask for mask in masks if mask not in samples][: SAMPLES - len(samples)]

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        """What may still stand in the texts, in words."""
        left_out = tuple(
            f"{kind.value.replace('_', ' ')} (left out)" for kind in Kind if kind not in self.kinds
        )
        names = (
            "names that no list knows and nothing around them gives away (no model for names was given)",
        )
        return (*left_out, *(names if Kind.PERSON in self.kinds and not self.ner else ()), *_NEVER)

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be written down beside a data set."""
        return {
            "texts": self.texts,
            "characters": self.characters,
            "counts": {kind.value: self.counts[kind] for kind in self.kinds},
            "rules": dict(sorted(self.rules.items())),
            "samples": {kind.value: masks for kind, masks in sorted(self.samples.items())},
            "looked_for": [kind.value for kind in self.kinds],
            "not_looked_for": list(self.not_looked_for),
        }


def masked(kind: Kind, value: str) -> str:
    """A form that tells what sort of thing was found and not what: `j…@…`, `4…`, `A… L…`."""
    if len(value) < 3 or kind is Kind.SECRET:
        return "…"
    if kind is Kind.EMAIL:
        return f"{value[0]}…@…"
    if kind is Kind.PERSON:
        return " ".join(f"{word[0]}…" for word in re.findall(r"\w+", value)[:4]) or "…"
    if kind is Kind.ADDRESS:
        return "…"
    return f"{value[0]}…"
