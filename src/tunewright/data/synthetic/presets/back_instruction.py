"""back_instruction: the request that a given text answers, so that texts written by people become answers.

After Li et al. 2023, "Self-Alignment with Instruction Backtranslation" (arXiv:2308.06259): the answer is somebody's own, the
question alone is written, and a judge keeps the pairs that fit.
"""

from typing import Literal

from pydantic import Field

from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, filled, prompt
from tunewright.data.synthetic.written import Design


class BackInstructionPreset(JudgedPreset):
    """Requests that given answers or documents answer."""

    type: Literal["back_instruction"] = "back_instruction"
    """Chooses this preset."""
    asker: str = "somebody who needs it"
    """Who asks, so that requests sound like your users'."""
    chars: int = Field(6000, ge=100)
    """The most characters of a text; longer ones are no seeds, since a text cut off would be taught as an answer."""

    def design(self) -> Design:
        """answer (the seed's), question, fit."""
        rubric = {
            1: "It answers something else.",
            3: "It answers the request in part, or says much that was not asked for.",
            5: "It is just the answer that this request wants, in content, length and form.",
        }
        return designed(
            {
                "_answer": {"type": "seed", "take": "expected"},
                "_whole": {"type": "validate", "of": "_answer", "holds": f"_answer | length <= {self.chars}"},
                "_length": {
                    "type": "category",
                    "values": {"one short sentence": 2, "one or two sentences": 2, "a few words": 1},
                },
                "_question": {"type": "text", "prompt": filled("back_instruction", asker=self.asker)},
                "fit": self.judged(prompt("back_instruction_fit"), rubric),
            },
            input="_question",
            expected="_answer",
        )
