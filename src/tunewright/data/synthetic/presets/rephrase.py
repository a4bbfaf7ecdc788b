"""rephrase: the same question in other words, with the same answer; a judge keeps those that still ask the same."""

from typing import Literal

from tunewright.data.synthetic.columns.category import Weights
from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, prompt
from tunewright.data.synthetic.written import Design

_WAYS: dict[str, float] = {
    "shorter, as a few words typed into a search box": 2,
    "as a full and polite sentence": 1,
    "casually, as in a chat": 2,
    "hurriedly, with a typing mistake or two and little punctuation": 1,
    "with the circumstances told first": 2,
    "annoyed, but without insults": 1,
    "in the words of somebody who does not know the terms of the trade": 2,
    "in another order, with other words for the same things": 2,
}


class RephrasePreset(JudgedPreset):
    """Questions in other words, with their answers as they are."""

    type: Literal["rephrase"] = "rephrase"
    """Chooses this preset."""
    ways: Weights = _WAYS
    """How it is said anew, with weights."""
    verify: bool = True
    """Whether a judge sees to it that the answer still fits."""

    def design(self) -> Design:
        """input, way, expected (the seed's), same."""
        rubric = {
            1: "They ask for different things.",
            3: "One asks for more than the other, or leaves something out that matters.",
            5: "They ask for the very same, and one answer is right for both.",
        }
        judge = self.judged(prompt("rephrase_same"), rubric)
        return designed(
            {
                "_question": {"type": "seed", "take": "input"},
                "way": {"type": "category", "values": self.ways},
                "_anew": {"type": "text", "prompt": prompt("rephrase")},
                "_other": {"type": "validate", "of": "_anew", "holds": "_anew | lower != _question | lower"},
                "_same": judge if self.verify else None,
            },
            onto_seed=True,
            input="_anew",
        )
