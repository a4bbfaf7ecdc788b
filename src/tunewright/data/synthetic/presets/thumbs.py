"""thumbs: an answer to each question with a thumb up or down, for methods that learn from ratings."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.spec import Spec
from tunewright.data.synthetic.presets.preset import designed, prompt, quoted
from tunewright.data.synthetic.written import Design


class ThumbsPreset(Spec):
    """Answers that a judge finds good, and such as it finds bad; those between say nothing, and are given up."""

    type: Literal["thumbs"] = "thumbs"
    """Chooses this preset."""
    answers: str | None = None
    """Who answers; left out, the operation's teacher. The model that is to be trained shows what it gets wrong: `base`."""
    judge: str | None = None
    """Who rates; left out, the operation's teacher."""
    rubric: str = "1: wrong, or no answer to the question. 3: right in part. 5: right, complete and clear."
    """What makes a score, of 5."""
    up: int = Field(4, ge=1, le=5)
    """From this score on, the answer is a good one."""
    down: int = Field(2, ge=1, le=5)
    """Up to this score, it is a bad one."""
    system: str = ""
    """The system message under which questions are answered that have none of their own: write the task's here."""
    temperature: float = Field(0.8, ge=0, le=2)
    """How freely answers are drawn: where all are good, nothing is learnt from bad ones."""

    @model_validator(mode="after")
    def _leaves_no_overlap(self) -> Self:
        if self.down >= self.up:
            raise ValueError(f"down ({self.down}) is not below up ({self.up})")
        return self

    def design(self) -> Design:
        """talk (the seed's), answer, rating, desirable."""
        return designed(
            {
                "_talk": {"type": "seed", "take": "talk"},
                "_answer": {
                    "type": "reply",
                    "system": quoted(self.system),
                    "teacher": self.answers,
                    "temperature": self.temperature,
                },
                "rating": {
                    "type": "judge",
                    "teacher": self.judge,
                    "rubric": self.rubric,
                    "prompt": prompt("thumbs"),
                },
                "_clear": {
                    "type": "validate",
                    "of": "rating.score",
                    "holds": f"rating.score <= {self.down} or rating.score >= {self.up}",
                },
            },
            onto_seed=True,
            expected="_answer",
            desirable=f"{{{{ rating.score >= {self.up} }}}}",
        )
