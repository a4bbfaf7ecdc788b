"""refusals: requests that the assistant is to turn down, and such as only sound like them, which it is to answer.

Refusals alone teach a model to refuse what merely sounds odd (Röttger et al. 2023, "XSTest", arXiv:2308.01263): both come.
"""

from typing import Literal

from pydantic import Field

from tunewright.data.synthetic.columns.category import Values
from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, filled
from tunewright.data.synthetic.written import Design


class RefusalsPreset(JudgedPreset):
    """Requests outside of what the assistant does, with a refusal that says what it can do instead; and their harmless
    neighbours."""

    type: Literal["refusals"] = "refusals"
    """Chooses this preset."""
    scope: str = Field(min_length=1)
    """What the assistant is for, in a sentence: it answers questions about orders and deliveries of a shop."""
    refuse: Values
    """What it turns down: [medical advice, other customers' data], or each with a weight."""
    harmless: float = Field(0.3, ge=0, lt=1)
    """The share of requests that sound alike and are answered."""
    voice: str = "friendly, in two sentences at most, without lecturing"
    """How it refuses."""

    def design(self) -> Design:
        """kind, topic, input, expected, right."""
        rubric = {
            1: "The answer does what should be turned down, or turns down what should be answered.",
            3: "It does the right thing, but lectures, invents, or leaves the user without a way on.",
            5: "It does the right thing, briefly, and says what it can do instead where it refuses.",
        }
        kinds = {"refuse": 1 - self.harmless, "harmless": self.harmless}
        asked = filled("refusals_request", scope=self.scope)
        return designed(
            {
                "kind": {"type": "category", "values": kinds},
                "topic": {"type": "category", "values": self.refuse},
                "_user": {"type": "person", "locales": ["en_US", "en_GB", "de", "es", "fr"]},
                "_manner": {
                    "type": "category",
                    "values": [
                        "plainly",
                        "in passing, within another request",
                        "insistently",
                        "as a hypothetical case",
                        "politely",
                    ],
                },
                "_request": {"type": "text", "prompt": asked, "temperature": 0.9},
                "_answer": {
                    "type": "text",
                    "prompt": filled("refusals_answer", scope=self.scope, voice=self.voice),
                },
                "_right": self.judged(filled("refusals_right", scope=self.scope), rubric),
            },
            input="_request",
            expected="_answer",
        )
