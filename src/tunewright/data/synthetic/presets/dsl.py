"""dsl: sentences of a language of your own, drawn from its grammar, with what a person would say to get them.

The answer is right by construction: it is drawn, and only the request is written (as in Wang, Berant and Liang 2015,
"Building a Semantic Parser Overnight", P15-1129). A second asking, which sees the request alone, finds requests that say
too little.
"""

from typing import Literal

from pydantic import Field

from tunewright.data.synthetic.columns.sentence import GrammarText
from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, filled
from tunewright.data.synthetic.written import Design


class DslPreset(JudgedPreset):
    """Requests and the commands that they mean, drawn from a grammar."""

    type: Literal["dsl"] = "dsl"
    """Chooses this preset."""
    grammar: GrammarText
    """The language's grammar; docs/synthetic.md has the notation."""
    about: str = Field(min_length=1)
    """What its commands do, in a few sentences: "SET lamp TO on switches the lamp; AFTER n s waits before"."""
    verify: bool = True
    """Whether a judge, who sees command and request, has to find that nothing is missing."""

    def design(self) -> Design:
        """expected (the command), way, input, same."""
        rubric = {
            1: "The request asks for something else.",
            3: "The request leaves open, or adds, something that the command says.",
            5: "The request says all that the command does, so that only this command does it.",
        }
        judge = self.judged(filled("dsl_same", about=self.about), rubric)
        ways = [
            "as a short order",
            "as a polite question",
            "casually",
            "as a full sentence",
            "in the words of a layman",
        ]
        return designed(
            {
                "_command": {"type": "sentence", "grammar": self.grammar},
                "way": {"type": "category", "values": ways},
                "_request": {"type": "text", "prompt": filled("dsl", about=self.about), "temperature": 0.8},
                "_same": judge if self.verify else None,
            },
            input="_request",
            expected="_command",
        )
