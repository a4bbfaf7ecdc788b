"""query_rewriting: what is asked in the middle of a talk, written anew so that it stands alone and can be searched for.

The task of Elgohary et al. 2019, "Can You Unpack That?" (CANARD, D19-1605): a question that leans on the turns before it,
and the same question without them.
"""

from typing import Literal

from pydantic import Field

from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, filled, prompt
from tunewright.data.synthetic.written import Design


class QueryRewritingPreset(JudgedPreset):
    """Talks with a last question that leans on what was said, and that question so that it stands alone."""

    type: Literal["query_rewriting"] = "query_rewriting"
    """Chooses this preset."""
    asker: str = "a user"
    """Who asks."""
    turns: int = Field(2, ge=1, le=6)
    """Questions and answers before the last question, at most."""
    chars: int = Field(4000, ge=200)
    """The most characters of the document or answer that talks are about."""

    verify: bool = True
    """Whether a judge sees to it that the last question leans on the talk, and the new one says just what it means."""

    def design(self) -> Design:
        """passage, turns, talk, question, alone."""
        rubric = {
            1: "The second asks for something else, or cannot be understood without the talk.",
            3: "The second leaves out or adds something; or the first is clear without the talk, so that nothing was to do.",
            5: "The first needs the talk, and the second asks for the very same without it, as one question.",
        }
        turn = {
            "type": "object",
            "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
            "required": ["question", "answer"],
            "additionalProperties": False,
        }
        schema = {
            "type": "object",
            "properties": {
                "talk": {"type": "array", "items": turn, "minItems": 1, "maxItems": self.turns},
                "follow_up": {"type": "string"},
                "alone": {"type": "string"},
            },
            "required": ["talk", "follow_up", "alone"],
            "additionalProperties": False,
        }
        return designed(
            {
                "_passage": {"type": "seed", "take": "expected", "chars": self.chars},
                "_turns": {"type": "category", "values": list(range(1, self.turns + 1))},
                "_lean": {
                    "type": "category",
                    "values": {
                        "a pronoun (it, they, that one)": 2,
                        "words left out (and for students?)": 2,
                        '"the other one"': 1,
                    },
                },
                "_talk": {
                    "type": "structured",
                    "schema": schema,
                    "prompt": filled("query_rewriting", asker=self.asker),
                },
                "_leans": {
                    "type": "validate",
                    "of": "_talk",
                    "holds": "_talk.follow_up | lower != _talk.alone | lower",
                },
                "_alone": self.judged(prompt("query_rewriting_alone"), rubric) if self.verify else None,
            },
            input=prompt("query_rewriting_input"),
            expected="{{ _talk.alone }}",
        )
