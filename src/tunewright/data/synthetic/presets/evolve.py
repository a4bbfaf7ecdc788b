"""evolve: a harder or broader question made of a given one, with an answer of its own.

After Xu et al. 2023, "WizardLM" (arXiv:2304.12244): in-depth and in-breadth evolving, and elimination of what did not
evolve.
"""

from typing import Literal

from tunewright.data.synthetic.columns.category import Weights
from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, prompt
from tunewright.data.synthetic.written import Design

_WAYS: dict[str, float] = {
    "add one condition or requirement that the answer has to meet": 1,
    "ask for something deeper: the cause, the trade-off or the limits": 1,
    "replace what is general by a concrete case with names and numbers": 1,
    "make it need two or three steps of reasoning": 1,
    "ask about another, rarer matter of the same field": 1,
}


class EvolvePreset(JudgedPreset):
    """Harder or broader questions made of given ones, answered by the teacher."""

    type: Literal["evolve"] = "evolve"
    """Chooses this preset."""
    ways: Weights = _WAYS
    """How the question changes, with weights."""
    verify: bool = True
    """Whether a judge looks at the new question and its answer."""

    def design(self) -> Design:
        """way, input, expected, quality."""
        rubric = {
            1: "The question makes no sense, cannot be answered, or the answer is wrong.",
            3: "The question is sound; the answer is right in the main, but misses a part or is muddled.",
            5: "The question is sound and the answer is right, complete and clear.",
        }
        judge = self.judged(prompt("evolve_quality"), rubric)
        return designed(
            {
                "_question": {"type": "seed", "take": "input"},
                "way": {"type": "category", "values": self.ways},
                "_anew": {"type": "text", "prompt": prompt("evolve")},
                "_other": {"type": "validate", "of": "_anew", "holds": "_anew | lower != _question | lower"},
                "_answer": {"type": "text", "prompt": "{{ _anew }}", "temperature": 0.3},
                "quality": judge if self.verify else None,
            },
            input="_anew",
            expected="_answer",
        )
