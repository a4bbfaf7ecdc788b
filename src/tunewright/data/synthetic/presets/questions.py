"""questions: questions that a passage answers, with quotations that prove it, and some that it does not answer.

What a teacher says of a passage that is not there in it is found out: a quotation has to stand in the passage, word for
word. A question that is meant to have no answer is put to the teacher again, and given up where it finds one.
"""

from typing import Any, Literal

from pydantic import Field

from tunewright.core.spec import Spec
from tunewright.data.synthetic.presets.preset import designed, filled, prompt, quoted
from tunewright.data.synthetic.written import Design

_ANSWERED = {
    "type": "object",
    "properties": {
        "question": {"type": "string"},
        "quotes": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4},
        "answer": {"type": "string"},
    },
    "required": ["question", "quotes", "answer"],
    "additionalProperties": False,
}
_UNANSWERED = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}
_SOUGHT = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "answered": {"type": "boolean"}},
    "required": ["reason", "answered"],
    "additionalProperties": False,
}
_FORMS = {
    "a fact that stands in it": 3,
    "how something is done": 2,
    "why something is so": 2,
    "what happens in a certain case": 2,
    "a comparison of two things in it": 1,
    "whether something is allowed or true, with the reason": 1,
}


class QuestionsPreset(Spec):
    """Questions and answers from documents (or from answers), with verified quotations."""

    type: Literal["questions"] = "questions"
    """Chooses this preset."""
    asker: str = "somebody who has the subject at heart and has not read the passage"
    """Who asks, so that questions sound like your users'."""
    unanswerable: float = Field(0.1, ge=0, lt=1)
    """The share of questions that the passage does not answer: without any, a model learns that there always is an
    answer."""
    no_answer: str = "The text does not say."
    """The answer to those."""
    grounded: bool = True
    """Whether the passage stands before the question in what is asked; else the model is to know it by heart."""
    cite: bool = True
    """Whether answers end with the quotations that prove them."""
    judge: str | None = None
    """Who looks for an answer to questions that are to have none; left out, the operation's teacher, which knows what it
    meant: name another where you can."""
    chars: int = Field(6000, ge=200)
    """The most characters of a passage; cut longer documents before, with `chunk`."""

    def design(self) -> Design:
        """passage, kind, question, quotes, answer."""
        asked = {"type": "structured", "temperature": 0.8}
        either = '_found.question if kind == "answered" else _missed.question'
        return designed(
            {
                "_passage": {"type": "seed", "take": "expected", "chars": self.chars},
                "kind": {
                    "type": "category",
                    "values": {"answered": 1 - self.unanswerable, "unanswerable": self.unanswerable},
                },
                "_form": {"type": "category", "values": _FORMS},
                "_found": {
                    **asked,
                    "when": 'kind == "answered"',
                    "schema": _ANSWERED,
                    "prompt": filled("questions_answered", asker=self.asker),
                },
                "quotes": {
                    "type": "quotes",
                    "when": 'kind == "answered"',
                    "of": "_found.quotes",
                    "within": "_passage",
                    "otherwise": [],
                },
                **(self._unanswerable(asked) if self.unanswerable else {}),
                "_question": {
                    "type": "expression",
                    "value": either if self.unanswerable else "_found.question",
                },
            },
            input=prompt("questions_input") if self.grounded else "_question",
            expected=self._answer(),
        )

    def _unanswerable(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Columns of questions that the passage does not answer: written, and looked for in it by a second asking."""
        when = 'kind == "unanswerable"'
        missed = filled("questions_unanswerable", asker=self.asker)
        seeking = {"temperature": 0, "teacher": self.judge}
        sought = {**asked, **seeking, "schema": _SOUGHT, "prompt": prompt("questions_sought")}
        return {
            "_missed": {**asked, "when": when, "schema": _UNANSWERED, "prompt": missed},
            "_sought": {**sought, "when": when},
            "_missing": {"type": "validate", "when": when, "of": "_sought", "holds": "not _sought.answered"},
        }

    def _answer(self) -> str:
        cited = (
            '{% for quote in quotes %}\n\n> {{ quote.text | replace("\\n", "\\n> ") }}{% endfor %}'
            if self.cite
            else ""
        )
        answered = f"{{{{ _found.answer }}}}{cited}"
        return f'{{% if kind == "answered" %}}{answered}{{% else %}}{quoted(self.no_answer)}{{% endif %}}'
