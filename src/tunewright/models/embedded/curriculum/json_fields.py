# ruff: noqa: E501  # tables of words and sentences, one row a line
"""JSON from prose: fields named in the prompt, flat or nested, of a closed set or optional."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message, label
from tunewright.models.embedded.words import pick

CLOSED = {
    "priority": label.URGENCY,
    "urgency": label.URGENCY,
    "sentiment": label.FEELINGS,
    "mood": label.FEELINGS,
    "category": label.TOPICS,
    "topic": label.TOPICS,
    "type": label.TOPICS,
}
"""Fields with a closed set of values, and the sentences that decide them."""
ASK = (
    "Extract as JSON.",
    "Turn the text into JSON.",
    "Give the data as JSON.",
    "Fill the fields as JSON.",
    "Read the text and write JSON.",
    "Reply with JSON only.",
    "Convert to JSON.",
)
GROUPS = ("order", "customer", "details", "contact", "data", "item", "info", "meta")


def draw(rng: Random, held_out: bool) -> Draw:
    """A passage, the wanted fields in one of five ways of writing them, and the JSON; up to three more asks in training."""
    told = passages.record(rng, held_out, rng.choice((1, 2, 3, 3, 4, 5, 6)), fillers=rng.randrange(4))
    passage, closed = told.passage, None
    if told.kind != "note" and rng.random() < 0.5:
        key = pick(rng, list(CLOSED))
        passage, value, kind = _closed(rng, held_out, key, passage)
        closed = (key, value, kind)
    rule, answer = _asked(rng, told, closed)
    messages: list[Message]
    if rng.random() < 0.5:
        messages = [("system", rule), ("user", passage), ("assistant", answer)]
    else:
        shape = pick(rng, ("{r}\n\n{p}", "{p}\n\n{r}", "{r}\nText: {p}"))
        ask = shape.replace("{r}", rule).replace("{p}", passage)
        messages = [("user", ask), ("assistant", answer)]
    for _ in range(0 if held_out else rng.choice((0, 1, 1, 2, 3))):
        rule, answer = _asked(rng, told, closed)
        messages += [("user", rule), ("assistant", answer)]
    return Draw("json_fields", tuple(messages), "json")


def _asked(rng: Random, told: passages.Record, closed: tuple[str, str, str] | None) -> tuple[str, str]:
    """A choice of the told facts, of what is not told and of the closed field: how they are asked for, and the answer."""
    wanted: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    facts = rng.sample(told.facts, rng.randrange(max(1, len(told.facts) - 1), len(told.facts) + 1))
    for fact in facts:
        wanted[fact.key], kinds[fact.key] = fact.value, "number" if fact.number else "string"
    missing = pick(rng, ("null", "null", "omit", "empty"))
    if told.untold and rng.random() < 0.45:
        for key in rng.sample(told.untold, min(len(told.untold), rng.choice((1, 1, 2)))):
            wanted[key], kinds[key] = None, "string, optional"
    if closed:
        wanted[closed[0]], kinds[closed[0]] = closed[1:]
    order = list(wanted)
    rng.shuffle(order)
    group = pick(rng, GROUPS) if len(order) > 2 and rng.random() < 0.4 else ""
    if group in order:
        group = ""
    inner = rng.sample(order, rng.randrange(2, min(4, len(order)) + 1)) if group else []
    rule = _rule(rng, order, kinds, group, inner)
    if None in wanted.values():
        rule += "\n" if "\n" in rule else " "
        rule += {
            "null": "Use null for what is missing.",
            "omit": "Leave out what is missing.",
            "empty": 'Use "" for what is missing.',
        }[missing]
    return rule, json.dumps(_shape(order, wanted, group, inner, missing), ensure_ascii=False)


def _closed(rng: Random, held_out: bool, key: str, passage: str) -> tuple[str, str, str]:
    """A field with a closed set: one sentence is added to the passage and decides it."""
    values = CLOSED[key]
    if values is label.TOPICS:
        shown = label.named(rng, rng.sample(list(values), rng.randrange(3, 7)))
        topic = pick(rng, list(shown))
        cue, chosen, labels = label.sentence(rng, held_out, topic), shown[topic], list(shown.values())
        cue = cue[0].upper() + cue[1:] + ("" if cue[-1] in "?!." else ".")
    else:
        labels = list(values)
        chosen = pick(rng, labels)
        cue = pick(rng, values[chosen]).replace("{t}", words.word(rng, words.THINGS, held_out))
    rng.shuffle(labels)
    text = f"{cue} {passage}" if rng.random() < 0.5 else f"{passage} {cue}"
    return text, chosen, "one of " + pick(rng, (", ", " / ", " | ")).join(labels)


def _rule(rng: Random, order: list[str], kinds: dict[str, str], group: str, inner: list[str]) -> str:
    """The wanted fields as a list of keys, lines with their types, a template, a JSON schema, or keys in words."""
    closed = any(kinds[key].startswith("one of") for key in order)
    shape = rng.choice((1, 2, 3, 3) if closed else (0, 0, 1, 2, 3))
    ask = pick(rng, ASK)
    outer = [key for key in order if key not in inner]
    if shape == 0:
        named = ", ".join(outer)
        nested = f"{group} ({', '.join(inner)})" if group else ""
        return f"{ask} {pick(rng, ('Keys', 'Fields', 'Use the keys'))}: {', '.join(part for part in (named, nested) if part)}."
    if shape == 1:
        lines = [f"- {key}: {kinds[key]}" for key in outer]
        if group:
            lines += [f"- {group}: object", *(f"  - {key}: {kinds[key]}" for key in inner)]
        return f"{ask} Fields:\n" + "\n".join(lines)
    if shape == 2:
        template: dict[str, Any] = {key: kinds[key] for key in outer}
        if group:
            template[group] = {key: kinds[key] for key in inner}
        return (
            f"{ask} {pick(rng, ('Template', 'Form', 'Shape'))}: {json.dumps(template, ensure_ascii=False)}."
        )
    properties: dict[str, Any] = {key: _schema(kinds[key]) for key in outer}
    if group:
        properties[group] = {"type": "object", "properties": {key: _schema(kinds[key]) for key in inner}}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if rng.random() < 0.5:
        schema["required"] = [key for key in outer if "optional" not in kinds[key]] + (
            [group] if group else []
        )
    return f"{ask} {pick(rng, ('Schema', 'JSON schema', 'Follow this schema'))}: {json.dumps(schema, ensure_ascii=False)}."


def _schema(kind: str) -> dict[str, Any]:
    if kind.startswith("one of"):
        text = kind.removeprefix("one of ")
        for joint in (" / ", " | "):
            text = text.replace(joint, ", ")
        return {"enum": text.split(", ")}
    return {"type": "number" if kind == "number" else ["string", "null"] if "optional" in kind else "string"}


def _shape(
    order: list[str], wanted: dict[str, Any], group: str, inner: list[str], missing: str
) -> dict[str, Any]:
    """The answer: outer fields first, then the group; what is missing is null, left out or empty."""
    filled = {key: "" if wanted[key] is None and missing == "empty" else wanted[key] for key in order}
    kept = {key: value for key, value in filled.items() if not (value is None and missing == "omit")}
    shaped: dict[str, Any] = {key: value for key, value in kept.items() if key not in inner}
    if group:
        shaped[group] = {key: kept[key] for key in inner if key in kept}
    return shaped
