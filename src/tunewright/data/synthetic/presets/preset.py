"""What a preset is: a design that comes ready, with few settings. One file each, its prompts beside it in prompts/.

To add one, add a file to data/synthetic/presets/ with its settings, a Spec with a `design()`, its name to
presets/__init__.py, and its prompts as Jinja templates to data/synthetic/prompts/.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter

from tunewright.core.spec import Spec
from tunewright.data.synthetic.columns import Column
from tunewright.data.synthetic.written import Design

PROMPTS = Path(__file__).parent.parent / "prompts"
_COLUMNS = TypeAdapter[dict[str, Column]](dict[str, Column])


class JudgedPreset(Spec):
    """What those have of which a judge sees every row."""

    judge: str | None = None
    """Who judges: a name under `teachers`; left out, the operation's teacher. A judge likes its own answers best: name
    another where you can."""
    at_least: int = Field(4, ge=1, le=5)
    """The least score, of 5, by which a row is kept."""

    def judged(self, asked: str, rubric: dict[int, str]) -> dict[str, Any]:
        """The settings of the column in which the judge is asked so."""
        return {
            "type": "judge",
            "prompt": asked,
            "rubric": rubric,
            "at_least": self.at_least,
            "teacher": self.judge,
        }


def designed(columns: dict[str, Any], *, onto_seed: bool = False, **parts: str) -> Design:
    """A design from columns' settings as the project file would have them; columns without settings are left out."""
    there = {name: settings for name, settings in columns.items() if settings is not None}
    return Design(_COLUMNS.validate_python(there), parts, onto_seed)


@lru_cache
def prompt(name: str) -> str:
    """A prompt's text, from its file."""
    return (PROMPTS / f"{name}.txt").read_text("utf-8").strip()


def filled(name: str, **words: object) -> str:
    """A prompt with settings written into it, where it says $NAME: what a user wrote is no template of ours."""
    said = {f"${word.upper()}": quoted(str(value)) for word, value in words.items()}
    longest = sorted(said, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), lambda found: said[found.group()], prompt(name))


def quoted(text: str) -> str:
    """A text as a template prints it: its braces are no orders."""
    return text.replace("{", "{{ '{' }}") if "{{" in text or "{%" in text or "{#" in text else text
