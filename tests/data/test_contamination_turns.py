"""What contamination looks at of a row: every turn, but for what is too short and the task's own instructions."""

import csv
import json
from pathlib import Path

import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.files import read_jsonl
from tunewright.core.message import Message
from tunewright.data.contamination import find_copies, search
from tunewright.data.contamination_turns import SaidRows, Shared, turns_of
from tunewright.data.ops.decontaminate import Decontaminate
from tunewright.data.ops.op import FilesOnly
from tunewright.data.recipe import TOLD, apply_recipe, graph

DATA = Path(__file__).parents[2].parent / "shared/data"
OWN = "You are the clerk of a bank, and answer in one sentence."


def talk(*said: str, system: str = "", rejected: str | None = None, row: int = 1) -> Example:
    """Turns of a user and an assistant."""
    head = [Message(role="system", content=system)] if system else []
    turns = [
        Message(role="user" if at % 2 == 0 else "assistant", content=text) for at, text in enumerate(said)
    ]
    origin = Origin(source="talks", file="talks.jsonl", row=row)
    return make_example((*head, *turns), rejected=rejected, origin=origin)


def test_the_turns_of_a_row() -> None:
    first, told = "How do I get a card for my son?", "You find the form below the cards."
    row = talk(first, told, "And then?", "ok", system=OWN, rejected="I am afraid that I do not know.")
    assert turns_of(row) == ("And then?", first, told, "I am afraid that I do not know.", OWN)
    assert turns_of(row, instructions=False) == turns_of(row)[:-1]
    assert turns_of(make_document("a book")) == ("a book",)
    assert turns_of(talk("yes", '{"label": "' + "x" * 40 + '"}'))[1:] == ('{"label": "' + "x" * 40 + '"}',)


def test_instructions_of_many_rows_are_the_tasks_own() -> None:
    asked = "How do I get a card for my son?"
    rows = [talk(f"question {n}", "ok", system=f"{OWN} “{asked}” is one.") for n in range(20)]
    rows[3] = talk("question 3", "ok", system="Be kind to each of them.")
    said = SaidRows(rows)
    assert [said[0], said[3]] == [("question 0",), ("question 3", "Be kind to each of them.")]
    assert list(said) == [said[at] for at in range(20)]
    assert list(said.shared(["yes", "is one", f"{asked.upper()}", asked])) == [Shared(0, 19, 2)]
    assert list(SaidRows([talk("q", "a")]).shared([asked])) == []


def test_shared_instructions_are_told_in_the_order_of_their_first_rows() -> None:
    asked = "How do I get a card for my son?"
    rows = [talk(f"question {n}", "ok", system=f"{n % 7}. {OWN} “{asked}” is one.") for n in range(35)]
    assert list(SaidRows(rows).shared([asked])) == [Shared(first, 5, 0) for first in range(7)]
    assert list(SaidRows(rows[::-1]).shared([asked])) == [Shared(first, 5, 0) for first in range(7)]


def banking(part: str) -> list[str]:
    with (DATA / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Real questions, at even steps: banking77's test has its labels in order."""
    return banking("test")[::10][:300]


@pytest.fixture(scope="module")
def talks() -> list[Example]:
    """300 real questions, each below an earlier one."""
    texts = banking("train")[::16][:600]
    return [
        talk(texts[n + 300], "Let me look at it for you.", texts[n], "done", system=OWN, row=n)
        for n in range(300)
    ]


real = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]


@pytest.mark.parametrize("turn", [pytest.param(turn, marks=real) for turn in ("first", "system", "answer")])
def test_a_question_in_any_turn_is_found_and_clean_rows_stay(
    asked: list[str], talks: list[Example], turn: str
) -> None:
    def leaking(row: Example, text: str) -> Example:
        first, answer = row.messages[1].content, "done"
        if turn == "first":
            first = text
        if turn == "answer":
            answer = f"Here is one for your test: {text} I hope that you like it."
        system = f"{OWN} A customer may ask: {text}" if turn == "system" else OWN
        return talk(first, "Let me look at it for you.", row.input_text, answer, system=system)

    rows = [leaking(row, text) for row, text in zip(talks[:30], asked[:30], strict=True)] + talks[30:]
    alone = find_copies(asked, [row.input_text for row in rows])
    copied = {hit.row for hit in search(asked, SaidRows(rows)).rows.hits() if hit.verdict == "copied"}
    assert len(copied & set(range(30))) >= 28
    assert len(copied - set(range(30))) <= 0.02 * 300 + 1
    assert len(set(alone.copied) & set(range(30))) <= 2


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout")
def test_what_is_near_and_stays_is_told_and_goes_where_it_is_to(
    asked: list[str], talks: list[Example], tmp_path: Path
) -> None:
    (tmp_path / "bank.jsonl").write_text("".join(json.dumps({"input": text}) + "\n" for text in asked))
    edited = [
        talk(" ".join([*text.split()[:-1], "mara.velten@mail.example"]), "done", row=300 + at)
        for at, text in enumerate(asked[:10])
    ]
    rows = [*talks, talk(asked[20], "done", row=999), *edited]
    told = worked([Decontaminate(against=("bank.jsonl",))], rows, root=tmp_path)
    notes = told.steps[0].notes
    assert notes[0].startswith("Of 300 evaluation texts, ")
    assert "more have a neighbour there; " in notes[1]
    assert notes[2].startswith("The thresholds are set by ")
    assert notes[3].startswith("By the length of texts, the least score is: passage (")
    assert notes[4].startswith("Near what an evaluation asks, and kept: ")
    assert notes[4].count(", near bank.jsonl:") == 3
    assert "mara" not in notes[4]
    assert notes[5].startswith("Words were compared, not meaning")
    assert len(notes) == 6
    stay = int(notes[4].partition(" rows")[0].rpartition(" ")[2])
    spec = Decontaminate(against=("bank.jsonl",), neighbours=True)
    gone = worked([spec], rows, root=tmp_path)
    assert len(gone.dropped) == len(told.dropped) + stay
    places = {place for place, _ in gone.dropped}
    assert "talks.jsonl:999" in places
    assert len(places & {row.place for row in edited}) >= 9
    assert not any("and kept" in note for note in gone.steps[0].notes)


def test_a_question_in_everybodys_instructions_is_told_and_nothing_dropped(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("question\nHow do I get a card for my son?\n")
    system = f"{OWN} Say more to: how do I get a card, for my son?"
    rows = [talk(f"question {n}", "ok", system=system, row=n + 1) for n in range(20)]
    done = worked([Decontaminate(against=("few.csv",))], rows, root=tmp_path)
    assert done.kept == rows
    assert done.steps[0].notes[3:-1] == (
        "By the length of texts, the least score is: passage (share of runs of eight words), 0.50; phrases (share of runs"
        " of three words), 0.80; letters (cosine of runs of four letters), 0.90.",
        "20 rows are kept whose shared instructions, as talks.jsonl:1 has them, hold word for word what few.csv:2 asks: take"
        " it out of the instructions.",
    )


def test_an_answer_that_asks_what_the_evaluation_asks_goes(tmp_path: Path) -> None:
    asked = "A farmer has 12 cows and buys 7 more. How many cows has he now?"
    (tmp_path / "few.csv").write_text(f"question\n{asked}\n")
    written = make_example(ask("Write a word problem.", asked))
    done = worked(
        [Decontaminate(against=("few.csv",))], [make_example(ask("Hi", "Hello")), written], root=tmp_path
    )
    assert [reason for _, reason in done.dropped] == ["a copy of what an evaluation asks: few.csv:2"]


def test_without_a_project_there_are_no_suites() -> None:
    with pytest.raises(DataError, match="suites stands for those of a project, and here is none"):
        worked([Decontaminate(against=("suites",))], [make_example(ask("q", "a"))])


def test_what_rows_are_near_is_written_down(tmp_path: Path) -> None:
    asked = "A farmer has 12 cows and buys 7 more. How many cows has he now?"
    (tmp_path / "few.csv").write_text(f"question\n{asked}\n")
    rows = [
        talk(asked, "19", row=1),
        talk(asked.partition(" How")[0], "19", row=2),
        *(talk(f"Hi, I am number {at}", "Hello", row=at) for at in range(3, 40)),
    ]
    nodes = graph([Decontaminate(against=("few.csv",))], ["talks"])
    done = apply_recipe(nodes, {"talks": rows}, tmp_path / "out", means=FilesOnly(tmp_path))
    first, last = read_jsonl(done.folder / TOLD)
    head = {"id": rows[0].id, "place": "talks.jsonl:1", "source": "talks", "near": "few.csv:2"}
    assert first == {**head, "by": "same", "score": 1.0, "verdict": "copied", "dropped": True}
    assert (last["place"], last["verdict"], last["dropped"]) == ("talks.jsonl:2", "neighbour", False)
    assert (done.steps[0].told, done.steps[0].dropped) == (2, 1)


ASKED = "How do I get a card for my son who lives abroad?"
TURNS = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": ASKED},
]
SAID = {"role": "assistant", "content": "Order one."}


@pytest.mark.parametrize(
    "line",
    [
        {"messages": [*TURNS, SAID]},
        {"prompt": ASKED, "completion": "Order one."},
        {"prompt": TURNS, "completion": [SAID]},
        {"prompt": ASKED, "chosen": "Order one.", "rejected": "No."},
        {"chosen": [*TURNS, SAID], "rejected": [*TURNS, SAID | {"content": "No."}]},
        {
            "input": {"messages": TURNS},
            "preferred_output": [SAID],
            "non_preferred_output": [SAID | {"content": "No."}],
        },
    ],
    ids=lambda line: " ".join(line),
)
def test_chat_rows_of_any_shape_ask_their_last_question(line: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "asked.jsonl").write_text(json.dumps(line) + "\n")
    rows = [make_example(ask(ASKED, "x")), make_example(ask("Where is my parcel?", "x"))]
    assert worked([Decontaminate(against=("asked.jsonl",))], rows, root=tmp_path).kept == rows[1:]
