"""pairs: two answers to a question and a judge's choice between them, for methods that learn from pairs."""

from typing import Literal

from pydantic import Field

from tunewright.core.spec import Spec
from tunewright.data.synthetic.presets.preset import designed, prompt, quoted
from tunewright.data.synthetic.written import Design


class PairsPreset(Spec):
    """A better and a worse answer to each question; the judge is asked in both orders."""

    type: Literal["pairs"] = "pairs"
    """Chooses this preset."""
    first: str | None = None
    """Who answers first; left out, the operation's teacher."""
    second: str | None = None
    """Who answers second: another teacher, or the same, which then draws more freely."""
    judge: str | None = None
    """Who chooses; left out, the operation's teacher. A judge likes its own answers best: name another where you can."""
    rubric: str = "It is right, it answers all that is asked and nothing else, and it is clear."
    """What makes an answer better."""
    system: str = ""
    """The system message under which questions are answered that have none of their own: write the task's here."""
    temperature: float = Field(0.7, ge=0, le=2)
    """How freely the first answers; the second 0.3 more."""

    def design(self) -> Design:
        """talk (the seed's), two answers, the choice."""
        answered = {"type": "reply", "system": quoted(self.system)}
        return designed(
            {
                "_talk": {"type": "seed", "take": "talk"},
                "_first": {**answered, "teacher": self.first, "temperature": self.temperature},
                "_second": {
                    **answered,
                    "teacher": self.second,
                    "temperature": min(2.0, self.temperature + 0.3),
                },
                "_choice": {
                    "type": "compare",
                    "of": ["_first", "_second"],
                    "teacher": self.judge,
                    "rubric": self.rubric,
                    "prompt": prompt("pairs"),
                },
                "reason": {"type": "expression", "value": "_choice.reason"},
            },
            onto_seed=True,
            expected="{{ _choice.better }}",
            rejected="{{ _choice.worse }}",
        )
