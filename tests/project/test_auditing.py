"""An audit of files as they come: how each is read, what it is fit for, and what its base makes of it."""

import json
from pathlib import Path

import pytest

from tunewright.core.errors import DataError, ModelError, UserError
from tunewright.project import audit_tokens
from tunewright.project.auditing import AuditSpec, audit_file, read_schema

QUICK = AuditSpec(kinds=["few_rows"])
TALK = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "row", "why", "method"),
    [
        ("a.jsonl", TALK, "Its rows are conversations.", "sft"),
        ("b.jsonl", {"question": "q", "answer": "a"}, "The input is question: its name says so.", "sft"),
        (
            "c.jsonl",
            {"instruction": "Say", "input": "", "output": "hi"},
            "The rows are read as alpaca: ",
            "sft",
        ),
        (
            "d.jsonl",
            {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]},
            "The rows are read as sharegpt: ",
            "sft",
        ),
        (
            "e.jsonl",
            {"prompt": "q", "chosen": "good", "rejected": "bad"},
            "Its rows are conversations.",
            "dpo",
        ),
        (
            "f.jsonl",
            {"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"},
            "The rows are read as alpaca: ",
            "dpo",
        ),
        ("g.jsonl", {"prompt": "q", "completion": "a", "label": False}, "Its rows are conversations.", "kto"),
        ("h.jsonl", {"text": "A whole document."}, "Its rows are documents.", "cpt"),
        ("i.csv", "body\nA whole document.", "Its rows are documents, the text of body.", "cpt"),
        ("j.md", "# Title\n\nA paragraph that says something.", "Its rows are documents.", "cpt"),
    ],
)
def test_files_are_read_as_what_they_are(tmp_path, name, row, why, method):
    path = lines(tmp_path / name, row)
    audited = audit_file(path, looked=QUICK)
    assert audited.why.startswith(why)
    assert audited.summary.examples == 1
    told = [one.message for one in audited.audit.findings]
    if method == "cpt":
        assert told == []
    else:
        assert [f"few to train by {method}: " in message for message in told] == [True]


def test_what_is_told_beats_the_guess(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"question": "q", "answer": "a", "other": "o"})
    assert (
        audit_file(path, {"input": "other", "expected": "answer"}, looked=QUICK).why
        == "The columns are taken as told."
    )
    alpaca = lines(tmp_path / "b.jsonl", {"instruction": "q", "input": "", "output": "a"})
    assert audit_file(alpaca, form="alpaca", looked=QUICK).why == "The rows are read as alpaca, as told."


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("a.jsonl", {"messages": []}, "a.jsonl:1: no row can be used; of the first: bad messages"),
        ("a.csv", "q,a\nx,", "a.csv:2: no row can be used; of the first: empty "),
        ("a.csv", "", "the file has no row that can be read"),
        ("a.bin", "x", "the ending '.bin' does not tell the format"),
        ("a.csv", "q,a\n\udcff,x", "is not utf-8"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, name, row, said):
    path = tmp_path / name
    path.write_bytes(
        (row if isinstance(row, str) else json.dumps(row)).encode("utf-8", "surrogateescape") + b"\n"
    )
    with pytest.raises(DataError) as caught:
        audit_file(path, looked=QUICK)
    assert said in str(caught.value)


def test_tokens_are_those_of_the_base_that_is_named(tmp_path, tiny_folder):
    path = lines(
        tmp_path / "a.jsonl", *[{"input": f"Where is {n}?", "expected": f"In box {n}."} for n in range(60)]
    )
    own = audit_file(path, looked=AuditSpec(kinds=["over_length"]))
    tiny = audit_file(
        path, looked=AuditSpec(base=str(tiny_folder), max_length=20, kinds=["over_length"])
    ).audit
    [row] = tiny.tokens
    assert (row.part, row.rows, row.base, row.max_length) == ("all", 60, tiny_folder.name, 20)
    assert 0 < row.trained < row.tokens
    assert row.over == 60
    assert [one.kind for one in tiny.findings] == ["over_length"]
    assert own.audit.tokens[0].base == "embedded"
    assert own.audit.notes[-1] == "tokens are those of the embedded base; --base names another"
    with pytest.raises(ModelError):
        audit_file(path, looked=AuditSpec(base=str(tmp_path)))


def test_what_the_gate_would_refuse_is_told_with_its_rows(tmp_path, tiny_folder):
    rows = [{"input": f"Where is {n}?", "expected": f"In box {n}."} for n in range(20)]
    path = lines(tmp_path / "a.jsonl", *rows, {"input": "And now?", "expected": "Done.<|im_end|>"})
    found = audit_file(path, looked=AuditSpec(base=str(tiny_folder), kinds=["refused_row"])).audit
    [refused] = found.findings
    assert (refused.severity, refused.count) == ("error", 1)
    assert refused.message == (
        "1 of 21 rows (4.8%) have a control token's name in an answer: the gate before training refuses them."
    )
    assert [(one.place, one.excerpt) for one in refused.examples] == [("a.jsonl:21", "Done.<|im_end|>")]


def test_what_a_method_refuses_rows_for_is_told(tmp_path, tiny_folder):
    path = lines(
        tmp_path / "a.jsonl", *[{"input": f"Where is {n}?", "expected": f"In box {n}."} for n in range(3)]
    )
    looked = AuditSpec(base=str(tiny_folder), method="cpt", kinds=["refused_row"])
    [refused] = audit_file(path, looked=looked).audit.findings
    assert refused.message == "cpt refuses the rows: cpt trains documents, and a row is a conversation."
    assert refused.mend.startswith("Choose the method sft")
    assert [one.place for one in refused.examples] == ["a.jsonl:1"]


def test_pairs_are_two_rows_and_long_documents_several(tmp_path, tiny_folder):
    def tokens(path):
        return audit_file(
            path, looked=AuditSpec(base=str(tiny_folder), max_length=32, kinds=["over_length"])
        ).audit

    pair = tokens(lines(tmp_path / "a.jsonl", {"prompt": "q", "chosen": "good", "rejected": "bad"}))
    assert pair.tokens[0].rows == 2
    document = tokens(lines(tmp_path / "b.jsonl", {"text": "A whole long document. " * 20}))
    assert document.tokens[0].rows > 3
    assert document.tokens[0].longest <= 32
    assert document.findings == ()


def test_of_many_rows_some_are_rendered(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setattr(audit_tokens, "LOOKED_AT", 25)
    path = lines(
        tmp_path / "a.jsonl", *[{"input": f"Where is {n}?", "expected": f"In box {n}."} for n in range(60)]
    )
    found = audit_file(path, looked=AuditSpec(base=str(tiny_folder), kinds=["over_length"])).audit
    assert found.tokens[0].rows == 20
    assert found.notes == ("of 60 rows one in 3 was rendered: tokens and what the gate says are of those",)


def test_kinds_methods_and_lengths_that_are_not():
    for looked, said in (
        (AuditSpec(kinds=["duplicat"]), "Did you mean 'duplicate'?"),
        (AuditSpec(method="sftt"), "no training method 'sftt'"),
        (AuditSpec(max_length=0), "max_length is 0"),
    ):
        with pytest.raises(UserError, match=said):
            audit_file(Path("rows.jsonl"), looked=looked)


def test_a_schema_is_an_object_in_a_file(tmp_path):
    assert read_schema(lines(tmp_path / "s.json", {"type": "object"})).schema_ == {"type": "object"}
    with pytest.raises(DataError, match="the schema is no JSON object"):
        read_schema(lines(tmp_path / "t.json", "[1"))


def test_answers_that_are_json_values_are_read_as_json(tmp_path):
    rows = [
        {"ticket": f"Where is parcel {n}?", "answer": {"kind": "delivery", "number": n}} for n in range(9)
    ]
    path = lines(tmp_path / "tickets.jsonl", *rows, {"ticket": "And mine?", "answer": "delivery"})
    schema = lines(tmp_path / "schema.json", {"properties": {"number": {"maximum": 5}}})
    kinds = ("off_schema",)
    audited = audit_file(path, looked=AuditSpec(output=read_schema(schema), kinds=kinds))
    assert (audited.summary.examples, len(audited.summary.reasons)) == (9, 1)
    assert [(one.kind, one.count) for one in audited.audit.findings] == [
        ("off_schema", 3),
        ("set_aside", 1),
    ]
