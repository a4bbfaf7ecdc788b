"""persona: given answers in a voice of your own; what they say stays."""

from typing import Literal

from pydantic import Field

from tunewright.data.synthetic.presets.preset import JudgedPreset, designed, filled
from tunewright.data.synthetic.written import Design


class PersonaPreset(JudgedPreset):
    """Answers rewritten in a voice, checked for what they say."""

    type: Literal["persona"] = "persona"
    """Chooses this preset."""
    voice: str = Field(min_length=1)
    """How it speaks: "an old ship's engineer, dry, short sentences, calls every machine she"."""
    samples: tuple[str, ...] = ()
    """Lines that it might say, to show the voice better than any description."""
    pairs: bool = False
    """Whether the plain answer stands beside as the worse one, for methods that learn from pairs."""

    def design(self) -> Design:
        """question and plain answer (the seed's), the answer in the voice, true."""
        rubric = {
            1: "It says something else than the plain answer, or is not in the voice at all.",
            3: "It leaves out or adds something, or the voice is only hinted at.",
            5: "It says all that the plain answer says and nothing that contradicts it, wholly in the voice.",
        }
        shown = "".join(f"\n- {line}" for line in self.samples)
        samples = f"\n\nIt speaks like this:{shown}" if shown else ""
        parts = {"rejected": "_plain"} if self.pairs else {}
        return designed(
            {
                "_question": {"type": "seed", "take": "input"},
                "_plain": {"type": "seed", "take": "expected"},
                "_answer": {"type": "text", "prompt": filled("persona", voice=self.voice, samples=samples)},
                "_true": self.judged(filled("persona_true", voice=self.voice), rubric),
            },
            onto_seed=True,
            expected="_answer",
            **parts,
        )
