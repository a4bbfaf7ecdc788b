"""Files that rows of an audit are held against: read as they are or as told, word for word and nearly."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import DataError, UserError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.project.audit_against import leaks_against, read_against

RNG = random.Random(4)
QUESTIONS = [" ".join(RNG.choices([f"word{n}" for n in range(60)], k=14)) for _ in range(90)]
ROWS = [
    make_example(ask(one, "a"), origin=Origin(source="s", file="rows.csv", row=number))
    for number, one in enumerate(QUESTIONS[:60], 1)
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, rows: Sequence[object]) -> Path:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(name)


def told(files: Sequence[Path], rows: Sequence[Example] = ROWS, **how: object) -> list[tuple]:
    said = {"columns": None, "form": None, **how}
    found, _ = leaks_against(read_against(files, Path.cwd(), said["columns"], said["form"]), rows, "train")
    return [(one.kind, one.part, one.count, one.examples[0].place, one.recipe) for one in found]


def test_each_file_is_read_as_what_it_is() -> None:
    asked = QUESTIONS[50:70]
    talks = [[{"role": "user", "content": one}, {"role": "assistant", "content": "b"}] for one in asked]
    files = [
        write("test/a.jsonl", [{"question": one, "answer": "b"} for one in asked]),
        write("chat.jsonl", [{"messages": talk} for talk in talks]),
        write("alpaca.jsonl", [{"instruction": one, "input": "", "output": "b"} for one in asked]),
    ]
    assert told(files) == [
        (
            *("leak", "train", 10, "test/a.jsonl:1 in rows.csv:51"),
            '{op: decontaminate, against: ["test/a.jsonl"], column: "question"}',
        ),
        (
            "leak",
            "train",
            10,
            "chat.jsonl:1 in rows.csv:51",
            '{op: decontaminate, against: ["chat.jsonl"]}',
        ),
        ("leak", "train", 10, "alpaca.jsonl:1 in rows.csv:51", ""),
    ]
    assert told(files, ROWS[:40]) == []


def test_what_stands_edited_in_a_row_is_nearly_a_leak() -> None:
    near = write(
        "near.jsonl",
        [{"question": QUESTIONS[70 + n] if n > 8 else QUESTIONS[n], "answer": "b"} for n in range(20)],
    )
    rows = [
        row.model_copy(update={"messages": ask(f"please {row.input_text} and no more", "a")})
        if at < 9
        else row
        for at, row in enumerate(ROWS)
    ]
    assert [one[:4] for one in told([near], rows)] == [
        ("near_leak", "train", 9, "near.jsonl:1 in rows.csv:1"),
    ]


def test_columns_are_those_that_are_told() -> None:
    odd = write("odd.jsonl", [{"question": "no", "it": one, "answer": "b"} for one in QUESTIONS[:5]])
    assert told([odd]) == []
    [found] = told([odd], columns={"input": "it", "expected": "answer"})
    assert found[2:] == (
        5,
        "odd.jsonl:1 in rows.csv:1",
        '{op: decontaminate, against: ["odd.jsonl"], column: "it"}',
    )


def test_a_project_is_held_against_a_file_and_one_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("rows.jsonl", [{"input": one, "expected": "a"} for one in QUESTIONS[:60]])
    write("test.jsonl", [{"input": one, "expected": "a"} for one in QUESTIONS[:60]])
    Path("tunewright.yaml").write_text("name: some\ntask: {}\nsources: {rows: {path: rows.jsonl}}\n")
    project = tunewright.open(Path())
    [leak] = project.audit(tunewright.AuditSpec(kinds=("leak",), against=("test.jsonl",))).findings
    assert (leak.part, leak.severity, leak.count) == ("train", "error", 48)
    assert leak.recipe == '{op: decontaminate, against: ["test.jsonl"], column: "input"}'
    Path("below").mkdir()
    monkeypatch.chdir("below")
    [from_there] = project.audit(tunewright.AuditSpec(kinds=("leak",), against=("../test.jsonl",))).findings
    assert (from_there.recipe, from_there.examples[0].place[:15]) == (leak.recipe, "../test.jsonl:1")
    monkeypatch.chdir("..")
    with pytest.raises(UserError, match="no leaks are looked for"):
        project.audit(tunewright.AuditSpec(kinds=("echo_answer",), against=("test.jsonl",)))
    with pytest.raises(DataError, match=r"none\.jsonl.*there is no such file"):
        project.audit(tunewright.AuditSpec(kinds=("leak",), against=("none.jsonl",)))


def test_rows_that_cannot_be_read_are_told_and_others_are_held() -> None:
    half = write(
        "half.jsonl",
        [{"input": None if at < 15 else one, "expected": "b"} for at, one in enumerate(QUESTIONS[:20])],
    )
    findings, notes = leaks_against(read_against([half], Path.cwd()), ROWS, "train")
    assert notes == []
    assert [(one.kind, one.severity, one.count) for one in findings] == [
        ("set_aside", "error", 15),
        ("leak", "error", 5),
    ]
    assert findings[0].message.startswith("half.jsonl, held against: 15 of 20 rows (75.0%) cannot be used")


def chat(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.mark.parametrize(
    "row",
    [
        lambda n, one: {"prompt": one},
        lambda n, one: {"text": one},
        lambda n, one: {"body": one},
        lambda n, one: {"problem": one, "level": n % 3},
        lambda n, one: {"question": one, "answer": None},
        lambda n, one: {"question": one, "answer": None if n % 2 else "b"},
        lambda n, one: {"messages": chat(("system", "Be brief."), ("user", one))},
        lambda n, one: {"prompt": chat(("user", one))},
    ],
)
def test_questions_without_an_answer_are_held(row: Callable[[int, str], object]) -> None:
    prompts = write("prompts.jsonl", [row(n, one) for n, one in enumerate(QUESTIONS[50:70])])
    [found] = told([prompts])
    assert found[:3] == ("leak", "train", 10)


def test_texts_are_held_against_documents_as_they_are() -> None:
    origin = Origin(source="s", file="d.csv", row=1)
    rows = [make_document(f"It is long. {one}", origin=origin) for one in QUESTIONS[:3]]
    texts = write("texts.jsonl", [{"text": row.expected} for row in rows])
    assert [one[:3] for one in told([texts], rows)] == [("leak", "train", 3)]


def test_texts_with_a_question_beside_them_are_held_as_the_rows_are() -> None:
    texts = write("both.jsonl", [{"text": f"It is long. {one}", "question": one} for one in QUESTIONS[:3]])
    held = read_against([texts], Path.cwd())
    documents = [make_document(f"It is long. {one}", origin=ROWS[0].origin) for one in QUESTIONS[:3]]
    for rows, by in ((documents, []), (ROWS, ["column question"])):
        findings, notes = leaks_against(held, rows, "train", ("leak",))
        assert [(one.kind, one.count) for one in findings] == [("leak", 3)]
        assert notes == [f"3 rows without an answer of both.jsonl were compared by its {one}" for one in by]


def test_a_text_is_held_where_what_stands_beside_it_is_no_question_of_its_own() -> None:
    """The same in all rows; or columns were told."""
    texts = [{"instruction": "Classify", "text": one} for one in QUESTIONS[:4]]
    [found] = told([write("same.jsonl", texts)])
    assert found[:3] == ("leak", "train", 4)
    bodies = [{"body": one, "question": f"Which topic, {n}?"} for n, one in enumerate(QUESTIONS[:4])]
    [found] = told([write("bodies.jsonl", bodies)], columns={"text": "body"})
    assert found[:3] == ("leak", "train", 4)


def test_a_question_after_what_cannot_be_read_is_not_compared() -> None:
    asked, picture = chat(("user", QUESTIONS[0])), {"type": "image_url", "image_url": {"url": "a.png"}}
    rows = [
        {"messages": ["Delete it?", *asked]},
        {"messages": [{"role": "user", "content": [picture, {"type": "text", "text": QUESTIONS[0]}]}]},
        {"messages": asked},
    ]
    findings, _ = leaks_against(read_against([write("odd.jsonl", rows)], Path.cwd()), ROWS, "train")
    assert [(one.kind, one.count) for one in findings] == [("set_aside", 2), ("leak", 1)]


def test_questions_of_a_column_that_is_told_are_held() -> None:
    odd = write("odd.jsonl", [{"it": one, "question": None, "id": n} for n, one in enumerate(QUESTIONS[:5])])
    [found] = told([odd], columns={"input": "it", "expected": "answer"})
    assert found[1:] == (
        "train",
        5,
        "odd.jsonl:1 in rows.csv:1",
        '{op: decontaminate, against: ["odd.jsonl"], column: "it"}',
    )


def test_rows_that_ask_nothing_stay_set_aside() -> None:
    rows = [{"question": one, "answer": None} for one in QUESTIONS[:9]] + [{"question": None, "answer": "b"}]
    findings, _ = leaks_against(read_against([write("mixed.jsonl", rows)], Path.cwd()), ROWS, "train")
    assert [(one.kind, one.count) for one in findings] == [("set_aside", 1), ("leak", 9)]
    assert findings[0].message.startswith("mixed.jsonl, held against: 1 of 10 rows (10.0%) cannot be used")
    assert findings[0].examples[0].place == "mixed.jsonl:10"


def test_only_what_is_asked_for_is_looked_for() -> None:
    held = read_against([write("test.jsonl", [{"prompt": one} for one in QUESTIONS[:9]])], Path.cwd())
    looked = {kinds: leaks_against(held, ROWS, "train", kinds) for kinds in (("leak",), ("near_leak",), ())}
    assert [[one.kind for one in found] for found, _ in looked.values()] == [["leak"], [], []]


def test_what_was_told_of_other_rows_is_tried_and_left() -> None:
    talks = [
        [{"role": "user", "content": one}, {"role": "assistant", "content": "b"}] for one in QUESTIONS[:9]
    ]
    chat = write("chat.jsonl", [{"messages": talk} for talk in talks])
    assert [one[:3] for one in told([chat], columns={"input": "q", "expected": "a"})] == [
        ("leak", "train", 9)
    ]
    none = write("none.jsonl", [{"messages": 3}])
    with pytest.raises(DataError) as caught:
        read_against([none], Path.cwd(), {"input": "q", "expected": "a"})
    assert (caught.value.where, caught.value.fix) == (
        "none.jsonl:1",
        "Save the file with the columns of the rows that are trained, or as conversations (messages).",
    )


def test_a_format_that_was_told_is_that_of_files_whose_ending_does_not_tell_it() -> None:
    rows = [{"prompt": one, "id": n} for n, one in enumerate(QUESTIONS[50:70])]
    files = [write("prompts.jsonl", rows), write("same.dat", rows), write("of/a.jsonl", rows).parent]
    line = '{op: decontaminate, against: ["prompts.jsonl"], column: "prompt"}'
    for told_of in ("text", "csv", "traces", "jsonl"):
        [held] = read_against(files[:1], Path.cwd(), file_format=told_of, like=Path("corpus.dat"))
        assert (len(held.suite.examples), held.recipe, held.notes) == (20, line, ())
        [folder] = read_against(files[2:], Path.cwd(), file_format=told_of, like=Path("corpus"))
        assert len(folder.suite.examples) == 20
    [odd] = read_against(files[1:2], Path.cwd(), file_format="jsonl", like=Path("rows.dat"))
    assert (len(odd.suite.examples), odd.recipe, odd.notes) == (20, "", ())
    [same] = read_against(files[:1], Path.cwd(), file_format="text", like=Path("rows.jsonl"))
    assert len(same.suite.examples) == 1
    [lines] = read_against(files[:1], Path.cwd(), file_format="jsonl", like=Path("rows.jsonl"))
    assert lines.recipe == line


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (lambda one: {"instruction": one, "input": ""}, "column instruction"),
        (lambda one: {"input": "some context", "question": one}, "column question"),
        (lambda one: {"problem": one, "text": "a note"}, "column problem"),
        (
            lambda one: dict(zip(("instruction", "input"), one.split(" ", 1), strict=True)),
            "columns instruction and input",
        ),
    ],
)
def test_the_column_that_is_compared_of_rows_without_an_answer_is_told(
    row: Callable[[str], object], said: str
) -> None:
    path = write("asked.jsonl", [row(one) for one in QUESTIONS[50:70]])
    held = read_against([path], Path.cwd())
    rows = [
        one.model_copy(update={"messages": ask(one.input_text.replace(" ", "\n", 1), "a")}) for one in ROWS
    ]
    findings, notes = leaks_against(held, rows if "input" in said else ROWS, "train")
    assert [(one.kind, one.count) for one in findings] == [("leak", 10)]
    assert notes == [f"20 rows without an answer of asked.jsonl were compared by its {said}"]
    assert held[0].recipe == '{op: decontaminate, against: ["asked.jsonl"]}'


def test_each_column_that_rows_were_compared_by_is_told() -> None:
    asked = [{"question": QUESTIONS[0], "answer": None}, {"problem": QUESTIONS[1]}, {"problem": QUESTIONS[2]}]
    [held] = read_against([write("two.jsonl", asked)], Path.cwd())
    assert held.notes == (
        "3 rows without an answer of two.jsonl were compared by its column question (1) or column problem (2)",
    )


def test_a_prompt_of_several_turns_is_compared_whole() -> None:
    def talk(one: str, *more: tuple[str, str]) -> list[dict[str, str]]:
        return chat(("user", one), ("assistant", "Which part?"), ("user", "Yes please"), *more)

    prompts = write("talks.jsonl", [{"messages": talk(one)} for one in QUESTIONS[:5]])
    answered = [
        write(f"{n}.jsonl", [{"messages": talk(one, ("assistant", "b"))}])
        for n, one in enumerate(QUESTIONS[:2])
    ]
    rows = [example for held in read_against(answered, Path.cwd()) for example in held.suite.examples]
    assert [one[:3] for one in told([prompts], rows) if one[0] == "leak"] == [("leak", "train", 2)]
    other = [make_example(ask("Yes please", "a"), origin=ROWS[0].origin)]
    assert [one for one in told([prompts], other) if one[0] == "leak"] == []


def test_rows_of_a_form_without_an_answer_are_compared_too() -> None:
    alpaca = [
        {"instruction": one, "input": "", "output": "b" if n % 2 else ""}
        for n, one in enumerate(QUESTIONS[50:70])
    ]
    assert [one[:3] for one in told([write("half.jsonl", alpaca)])] == [("leak", "train", 10)]


def test_what_could_not_be_read_as_told_is_told() -> None:
    chats = write(
        "chats.jsonl", [{"messages": chat(("user", one), ("assistant", "b"))} for one in QUESTIONS[:3]]
    )
    [held] = read_against([chats], Path.cwd(), {"input": "q", "expected": "a"})
    assert [note.partition(" (")[0] for note in held.notes] == ["chats.jsonl could not be read as told"]
    assert held.notes[0].endswith("); read as: Its rows are conversations")


def test_what_was_read_before_a_file_breaks_off_is_held() -> None:
    path = write("part.jsonl", [{"prompt": one, "id": n} for n, one in enumerate(QUESTIONS[:5])])
    with path.open("ab") as file:
        file.write(b'{"prompt": "\xff"}\n')
    [held] = read_against([path], Path.cwd(), {"input": "prompt", "expected": "answer"})
    assert len(held.suite.examples) == 5
    assert [note.partition(": ")[0] for note in held.notes[-1:]] == [
        "what part.jsonl asks was compared only as far as it can be read"
    ]


def test_what_was_not_looked_at_is_told() -> None:
    many = write(
        "many.jsonl", [{"input": f"{one} {n}", "expected": "b"} for n in range(9) for one in QUESTIONS]
    )
    findings, notes = leaks_against(read_against([many], Path.cwd()), ROWS, "train")
    assert {one.kind for one in findings} <= {"near_leak"}
    assert leaks_against(read_against([many], Path.cwd()), ROWS, "train", ("leak",)) == ([], [])
    assert notes == [
        "what many.jsonl asks was looked for word for word in all rows; nearly, 500 of its 810 examples in 60 of 60"
        " rows, evenly drawn"
    ]
