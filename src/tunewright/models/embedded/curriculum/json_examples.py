"""JSON from examples: no field is named; earlier turns show what is wanted."""

from __future__ import annotations

import json
from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message, asked_after
from tunewright.models.embedded.words import pick


def draw(rng: Random, held_out: bool) -> Draw:
    """Two or more examples of one kind as turns or in one message, then one more text."""
    frames, fields = _frame(rng, held_out)
    order = rng.sample(range(len(fields)), rng.randrange(2, len(fields) + 1))
    compact = rng.random() < 0.2
    rounds: list[tuple[str, str]] = []
    for _ in range(rng.choice((3, 4, 5)) if held_out else rng.choice((3, 4, 5, 6, 8))):
        values = [field.draw(rng, held_out) for field in fields]
        parts = [pick(rng, frames[i]).replace("{v}", values[i]) for i in range(len(fields))]
        rng.shuffle(parts)
        filled = {
            fields[i].names[0]: (json.loads(values[i]) if fields[i].number else values[i]) for i in order
        }
        rounds.append(
            (
                " ".join(parts),
                json.dumps(filled, ensure_ascii=False, separators=(",", ":") if compact else None),
            )
        )
    messages: list[Message] = [("system", "Reply as in the examples.")] if rng.random() < 0.2 else []
    if rng.random() < 0.6:
        for text, answer in rounds:
            messages += [("user", text), ("assistant", answer)]
        # The first answer cannot be known: it is where the examples begin.
        given = len(messages) - 2 if held_out else len(messages) - 2 * len(rounds) + 2
        return Draw("json_examples", tuple(messages), "json", given)
    rounds = [(f"Text: {text}\nJSON:", answer) for text, answer in rounds]
    messages += asked_after(rounds, len(rounds) - 1 if held_out else 2)
    return Draw("json_examples", tuple(messages), "json")


def _frame(rng: Random, held_out: bool) -> tuple[list[tuple[str, ...]], list[passages.Field]]:
    """Two to four fields under new names, each told in one or two fixed ways."""
    kind = pick(rng, passages.KINDS)
    chosen = rng.sample(kind.fields, min(len(kind.fields), rng.randrange(2, 5)))
    fields = []
    used: set[str] = set()
    for field in chosen:
        name = pick(rng, field.names) if rng.random() < 0.6 else pick(rng, (*words.WORK_WORDS, *words.THINGS))
        while name in used:
            name = words.pseudo(rng, held_out)
        used.add(name)
        fields.append(passages.Field((name,), field.draw, field.tell, field.number))
    return [tuple(rng.sample(field.tell, min(2, len(field.tell)))) for field in fields], fields
