"""The graders of OpenAI's reinforcement jobs: which of them a suite has, and which key of a row is the answer.

    found = read_grader(ledger, "method.reinforcement.grader", {"type": "string_check", "operation": "eq",
                        "input": "{{sample.output_text}}", "reference": "{{item.answer}}"})
    found.answer, found.graders      "answer", [{"type": "exact_match"}]

A template is read where it is one place of the reply or the row and nothing else. No code of a job is run, no model or
address of one asked.
"""

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunewright.data.names import listed
from tunewright.project.importing.carried import Ledger, shown

_PLACE = re.compile(r"\s*\{\{\s*(item|sample)\.([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*\}\}\s*")
_ITEM = re.compile(r"""\bitem(?:\.get\(\s*\\?["']|\[\s*\\?["']|\.(?!get\())([^\W\d]\w*)""")
"""How a grader names a key of a row, in a template or in Python, written as JSON."""
_NONE = {
    "text_similarity": "no grader measures how alike two texts are",
    "python": "no code of a config is run",
    "score_model": "no model judges replies here yet",
    "label_model": "no model judges replies here yet",
    "endpoint": "no address of a config is asked",
}
"""Grader → why no suite has it."""
_EQUAL = "outer blanks aside"
_FIELDS = "all fields of the answer count, and one that is not expected counts as wrong"
_LONGEST_SUM = 1000


class Graders(NamedTuple):
    """What a job's grader is here."""

    answer: str
    """The key of a row that holds the expected answer; empty where no grader compares with one."""
    graders: list[dict[str, Any]]
    """The graders of a suite, that of most weight first."""

    @property
    def compares_fields(self) -> bool:
        """Whether the answers are JSON objects."""
        return any(grader["type"] == "field_accuracy" for grader in self.graders)


class _Part(NamedTuple):
    """One grader of a job."""

    place: str
    weight: float
    """What it adds to the sum; below 0 where it lowers it, 0 where that is not known."""
    grader: Any


class _Met(NamedTuple):
    """A grader's counterpart, or why it has none."""

    grader: dict[str, Any] | None
    answer: str
    why: str


def read_grader(ledger: Ledger, at: str, grader: Any) -> Graders:
    """The counterparts of a job's grader, or of those that a `multi` sums up, with a line for each."""
    if not isinstance(grader, dict):
        return Graders("", [])
    parts = _parts(at, grader)
    met = [(part, _met(part)) for part in parts]
    compared = [each.answer for _, each in met if each.answer and each.grader] or [
        each.answer for _, each in met if each.answer
    ]
    answer = compared[0] if compared else ""
    graders: list[dict[str, Any]] = []
    most = 0.0
    for (place, weight, each), (found, key, why) in met:
        if found is None:
            ledger.leave(place, each, why)
        elif key not in ("", answer):
            ledger.leave(place, each, f"it compares with {key!r}, and the expected answer is {answer!r}")
        else:
            most = max(most, weight)
            if found not in graders:
                graders.append(found)
            number = graders.index(found)
            ledger.tell(place, each, "changed" if why else "carried", f"suites.target.graders[{number}]", why)
    if grader.get("type") == "multi":
        _tell_sum(ledger, f"{at}.calculate_output", grader.get("calculate_output"), len(graders), most)
    return Graders(answer, graders)


def _tell_sum(ledger: Ledger, at: str, formula: Any, carried: int, most: float) -> None:
    """What becomes of a sum of which so many graders are carried, the first with a weight of `most` (0: not known)."""
    if not carried:
        ledger.leave(at, formula, "there is nothing to sum up, as none of its graders has a counterpart")
        return
    one = "the only one" if carried == 1 else "that of most weight" if most else "the first"
    why = f"graders are scored one by one and not summed up; {one} that is carried is the headline"
    ledger.tell(at, formula, "changed", "suites.target.graders", why)


def keys_named(grader: Any) -> list[str]:
    """The keys of a row that a grader names anywhere, in their order."""
    return list(dict.fromkeys(_ITEM.findall(json.dumps(grader, ensure_ascii=False))))


def graded(grader: Any) -> str:
    """What the rows of a job hold for a grader that names no answer, and what it can be here; empty where there is none."""
    if not isinstance(grader, dict):
        return ""
    keys = keys_named(grader)
    said = f" Its rows are graded by {shown(grader.get('type'))}"
    if not keys:
        return f"{said}, which names none of their keys."
    form = f"form: {{name: openai, keys: {{answer: {keys[0]}}}}}"
    return (
        f"{said}, which reads {listed(keys)} of a row: as a source with {form}, that is the answer for sft."
    )


def _parts(at: str, grader: Mapping[str, Any]) -> list[_Part]:
    """The graders to be read, those of most weight first."""
    if grader.get("type") != "multi":
        return [_Part(at, 0.0, grader)]
    inner = grader.get("graders")
    if isinstance(inner, dict) and "type" not in inner:
        named = list(inner.items())
    else:
        every = inner if isinstance(inner, list) else [inner]
        named = [
            (str(each["name"]) if isinstance(each, dict) and "name" in each else "", each) for each in every
        ]
    weights = _weights(grader.get("calculate_output"), [name for name, _ in named])
    seen = Counter(name for name, _ in named)
    plain = not any(name.isdecimal() or not name for name in seen)
    parts = [
        _Part(f"{at}.graders.{name if plain and seen[name] == 1 else number}", weights.get(name, 0.0), each)
        for number, (name, each) in enumerate(named)
    ]
    return sorted(parts, key=lambda part: -part.weight)


def _weights(formula: Any, names: list[str]) -> dict[str, float]:
    """How much each name adds to a sum; none where the formula is something else."""
    if not isinstance(formula, str) or len(formula) > _LONGEST_SUM:
        return {}
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
        zero = dict.fromkeys(names, 0.0)
        start = _worth(tree, zero)
        found = {name: _worth(tree, {**zero, name: 1.0}) - start for name in names if name}
        return found if all(map(math.isfinite, found.values())) else {}
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return {}


def _worth(node: ast.expr, values: Mapping[str, float]) -> float:
    """A formula's value: names, numbers, and the four operations. Raises ValueError for anything else."""
    match node:
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_worth(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _worth(left, values), _worth(right, values)
            match op:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div():
                    return one / other
    raise ValueError("the formula is no sum")


def _met(part: _Part) -> _Met:
    found = _counterpart(part.grader)
    if found.grader is None or part.weight >= 0:
        return found
    return _Met(None, found.answer, "it lowers the sum, and a suite's grader only raises a score")


def _counterpart(grader: Any) -> _Met:
    kind = grader.get("type") if isinstance(grader, dict) else None
    if kind == "string_check":
        return _string_check(grader)
    if kind == "multi":
        return _Met(None, "", "a multi inside a multi is not read: lift its graders out")
    why = _NONE.get(str(kind), f"no grader {shown(kind)} is known here")
    spot = _place(grader.get("reference")) if isinstance(grader, dict) else None
    answer = spot[1][0] if spot and spot[0] == "item" and len(spot[1]) == 1 else ""
    return _Met(None, answer, why)


def _string_check(grader: Mapping[str, Any]) -> _Met:
    operation, said, wanted = (grader.get(key) for key in ("operation", "input", "reference"))
    if not isinstance(said, str) or not isinstance(wanted, str):
        return _Met(None, "", "it cannot be read: input and reference are texts")
    reply, other = _place(said), _place(wanted)
    if operation in ("eq", "ne") and (reply is None or reply[0] == "item") and other and other[0] == "sample":
        said, wanted, reply, other = wanted, said, other, reply
    if reply is None or reply[0] != "sample":
        return _Met(None, "", "it does not compare the reply with anything")
    if reply[1] == ["output_text"]:
        return _of_text(operation, wanted, other)
    if reply[1][0] != "output_json" or len(reply[1]) < 2:
        return _Met(None, "", f"no grader reads {said.strip()}")
    field = reply[1][1:]
    if operation == "eq" and other and other[0] == "item" and other[1][1:] == field:
        return _Met({"type": "field_accuracy"}, other[1][0], _FIELDS)
    return _Met(
        None,
        "",
        f"it compares the field {'.'.join(field)!r} of a JSON answer alone: put the fields that are expected under one key "
        "of the rows, as an object, and name it form.keys.answer; field_accuracy compares them",
    )


def _of_text(operation: Any, wanted: str, other: tuple[str, list[str]] | None) -> _Met:
    """The counterpart of a check of the whole reply against a key of the row, or a text that is always the same."""
    if other is None and "{{" in wanted:
        return _Met(
            None, "", "its reference is made of several parts, and the expected answer is one key of a row"
        )
    if other is None:
        return _of_words(operation, wanted)
    if other[0] != "item" or len(other[1]) > 1:
        return _Met(None, "", f"{wanted.strip()} is no key of a row: give its text a key of its own")
    match operation:
        case "eq":
            return _Met({"type": "exact_match"}, other[1][0], _EQUAL)
        case "like":
            return _Met({"type": "contains", "ignore_case": False}, other[1][0], "")
        case "ilike":
            return _Met({"type": "contains"}, other[1][0], "")
        case "ne":
            return _Met(None, "", "no grader says that a reply is not the expected answer")
    return _Met(None, "", f"no operation {shown(operation)} is known here")


def _of_words(operation: Any, wanted: str) -> _Met:
    words = re.escape(wanted.strip())
    if not words:
        return _Met(None, "", "its reference is blank")
    match operation:
        case "eq":
            return _Met({"type": "regex", "pattern": rf"\A\s*{words}\s*\Z"}, "", _EQUAL)
        case "ne":
            return _Met({"type": "regex", "pattern": rf"\A(?!\s*{words}\s*\Z)"}, "", _EQUAL)
        case "like":
            return _Met({"type": "contains", "text": wanted, "ignore_case": False}, "", "")
        case "ilike":
            return _Met({"type": "contains", "text": wanted}, "", "")
    return _Met(None, "", f"no operation {shown(operation)} is known here")


def _place(template: Any) -> tuple[str, list[str]] | None:
    """Of what a template is a place: `item` or `sample`, and the keys that lead there; none where it is more or less."""
    found = _PLACE.fullmatch(template) if isinstance(template, str) else None
    return (found[1], found[2].split(".")) if found else None
