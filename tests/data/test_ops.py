"""Operations on what rows say: languages, pieces of documents, near duplicates, what evaluations ask."""

import csv
import json
import random
import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.message import Function, Message, ToolCall
from tunewright.data.ops.chunk import Chunk
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.decontaminate import Decontaminate
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates
from tunewright.data.ops.language import Language
from tunewright.data.ops.redact import Redact


def listed(text: str) -> list[str]:
    return text.split()


WORDS = listed("""
order parcel box lamp bill card late broken white large early street shop paid twice never always phone letter Monday
morning money account window kitchen green small heavy driver neighbour yellow station corner bridge
""")


def row(question: str, answer: str = "x", **fields: object) -> Example:
    return make_example(ask(question, answer), fields=fields)


def questions(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=12)) for _ in range(count)]


def test_language_tells_and_keeps() -> None:
    rows = [
        row("Where is the parcel that I ordered last week?"),
        row("Wo ist das Paket, das ich letzte Woche bestellt habe?", kind="delivery"),
        make_document("Les colis arrivent le lundi, sauf pendant les vacances."),
    ]
    told = worked([Language()], rows)
    assert [one.fields["language"] for one in told.kept] == ["en", "de", "fr"]
    assert told.kept[1].fields == {"kind": "delivery", "language": "de", "answer_language": "und"}
    assert told.kept[0].id == rows[0].id
    done = worked([Language(keep=("en", "fr"), field="lang")], rows)
    assert [one.fields["lang"] for one in done.kept] == ["en", "fr"]
    assert done.dropped[0][1].startswith("its question is not in en, fr: de, ")
    assert len(worked([Language(keep=("ja",), sure=1)], [row("ok")]).kept) == 1


def test_what_has_no_language_is_never_dropped_by_it() -> None:
    label = row("Where is the parcel that I ordered last week?", "card_lost")
    (kept,) = worked([Language(keep=("en",), sure=0)], [label]).kept
    assert kept.fields == {"language": "en", "answer_language": "und"}


def test_two_languages_have_two_fields() -> None:
    with pytest.raises(ValidationError, match="field and answer_field are both 'lang'"):
        Language(field="lang", answer_field="lang")
    german = row("Where is the parcel that I ordered last week?", GERMAN)
    (told,) = worked([Language(of="answer", answer_field="language")], [german]).kept
    assert told.fields == {"language": "de"}


GERMAN = "Das Paket kommt am Montag, wir haben es gestern verschickt."


def test_language_looks_at_answers_too() -> None:
    mixed = row("Where is the parcel that I ordered last week?", GERMAN)
    english = row(
        "Where is the parcel that I ordered last week?", "It was sent yesterday and comes on Monday."
    )
    done = worked([Language(keep=("en",))], [mixed, english])
    assert [one.fields for one in done.kept] == [{"language": "en", "answer_language": "en"}]
    assert done.dropped[0][1].startswith("its answer is not in en: de, ")
    (told,) = worked([Language(keep=("en", "de"))], [mixed]).kept
    assert told.fields == {"language": "en", "answer_language": "de"}
    (asked,) = worked([Language(keep=("en",), of="question")], [mixed]).kept
    assert asked.fields == {"language": "en"}
    (answered,) = worked([Language(keep=("de",), of="answer")], [mixed]).kept
    assert answered.fields == {"answer_language": "de"}


@pytest.mark.parametrize(
    "answer",
    [
        "card_arrival",
        '{"paket": "gestern verschickt"}',
        "top -b -p `pidof a.out` -n 100",
        "3*156 + 8 = 476",
        "",
    ],
)
def test_an_answer_that_is_no_prose_has_no_language(answer: str) -> None:
    (told,) = worked([Language(keep=("en",))], [row("Where is the parcel that I ordered?", answer)]).kept
    assert told.fields["answer_language"] == "und"


def test_chunk_cuts_documents_and_leaves_conversations_whole() -> None:
    text = "\n\n".join(f"Part {n}. " + " ".join(questions(4, n)) + "." for n in range(12))
    long = make_document(text, fields={"page": 3}, origin=Origin(source="s", file="a.pdf", row=3))
    talk = row("a" * 3000)
    done = worked([Chunk(chars=500)], [long, talk, make_document("short")])
    pieces = [one for one in done.kept if "piece" in one.fields]
    assert len(pieces) > 5
    assert all(len(piece.expected) <= 500 for piece in pieces)
    assert [piece.fields for piece in pieces] == [{"page": 3, "piece": n} for n in range(1, len(pieces) + 1)]
    assert {piece.place for piece in pieces} == {"a.pdf:3"}
    assert " ".join(piece.expected for piece in pieces).split() == text.split()
    assert talk in done.kept
    (step,) = done.steps
    assert (step.rows_in, step.added, step.rows_out) == (3, len(pieces) - 1, len(pieces) + 2)
    overlapping = worked([Chunk(chars=500, overlap=100)], [long]).kept
    assert sum(len(one.expected) for one in overlapping) > sum(len(one.expected) for one in pieces)
    with pytest.raises(ValidationError, match="more than half a piece"):
        Chunk(chars=100, overlap=60)


def test_near_duplicates_go_and_the_best_stays() -> None:
    rows = [row(text, "a long answer", score=n) for n, text in enumerate(questions(200, 1))]
    again = row(f"{rows[7].input_text} please", "a long answer", score=999)
    done = worked([DropNearDuplicates()], [*rows, again])
    assert done.kept == rows
    assert done.dropped == [(again.place, f"nearly the same as {rows[7].place}")]
    best = worked([DropNearDuplicates(keep="highest", field="score")], [*rows, again])
    assert [place for place, _ in best.dropped] == [rows[7].place]


@pytest.fixture
def evaluation(tmp_path: Path) -> list[str]:
    """A hundred questions, in a CSV file and as chat rows."""
    asked = questions(100, 2)
    with (tmp_path / "eval.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "question"], *enumerate(asked)])
    lines = [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "x"}]}
        for text in asked
    ]
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return asked


@pytest.mark.parametrize("file", ["eval.csv", "eval.jsonl"])
def test_rows_that_an_evaluation_asks_go(tmp_path: Path, evaluation: list[str], file: str) -> None:
    clean = [row(text) for text in questions(400, 3)]
    copied = [
        row(evaluation[4]),
        row(evaluation[9].upper() + "!"),
        row(evaluation[20].replace(" ", " very ", 1)),
    ]
    done = worked([Decontaminate(against=(file,))], [*clean[:200], *copied, *clean[200:]], root=tmp_path)
    assert done.kept == clean
    assert sorted(reason.rpartition(":")[2] for _, reason in done.dropped) == sorted(
        str(n + (2 if file.endswith("csv") else 1)) for n in (4, 9, 20)
    )
    assert all(reason.startswith(f"a copy of what an evaluation asks: {file}:") for _, reason in done.dropped)


def test_every_row_that_is_a_copy_goes_and_neighbours_where_they_are_to(
    tmp_path: Path, evaluation: list[str]
) -> None:
    clean = [row(text) for text in questions(300, 3)]
    copies = [row(evaluation[4], f"answer {n}") for n in range(12)]
    assert worked([Decontaminate(against=("eval.csv",))], [*clean, *copies], root=tmp_path).kept == clean
    half = " ".join([*evaluation[30].split()[:8], "one", "two", "three", "four"])
    near = worked([Decontaminate(against=("eval.csv",), neighbours=True)], [*clean, row(half)], root=tmp_path)
    assert near.kept == clean
    assert near.dropped[0][1] == "a neighbour of what an evaluation asks: eval.csv:32"


def test_an_evaluation_that_cannot_be_read_is_said(tmp_path: Path, evaluation: list[str]) -> None:
    rows = [row("q")]
    with pytest.raises(DataError) as caught:
        worked([Decontaminate(against=("nope.csv",))], rows, root=tmp_path)
    assert "nope.csv" in caught.value.message or "nope.csv" in str(caught.value.fix)
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="which column holds what is asked; there are a, b"):
        worked([Decontaminate(against=("odd.csv",))], rows, root=tmp_path)
    assert worked([Decontaminate(against=("odd.csv",), column="a")], rows, root=tmp_path).kept == rows


def test_redact_replaces_alike_in_turns_answers_and_fields() -> None:
    text = "I am Mara Velten, write to mara.velten@mail.example or call 020 7946 0123."
    answer = json.dumps(
        {"name": "Mara Velten", "email": "mara.velten@mail.example", "card": 4111111111111111}
    )
    one = row(text, answer, ticket=text, deep={"by": ["mara.velten@mail.example"]}, number=7)
    plain = row("Where is the parcel?", "on its way")
    done = worked([Redact()], [one, plain])
    made, same = done.kept
    assert same == plain
    for said in (made.model_dump_json(), *(reason for _, reason in done.dropped)):
        assert not any(secret in said for secret in ("Mara", "Velten", "mail.example", "7946", "4111"))
    assert "[EMAIL_1]" in made.input_text
    assert made.fields["number"] == 7
    in_turns = re.findall(r"\[[A-Z]+_1\]", made.input_text)
    in_ticket = re.findall(r"\[([A-Z]+)_[0-9a-f]{12}\]", made.fields["ticket"])
    assert [f"[{kind}_1]" for kind in in_ticket] == in_turns == ["[PERSON_1]", "[EMAIL_1]", "[PHONE_1]"]
    assert made.fields["deep"]["by"][0] in made.fields["ticket"]
    numbered = worked([Redact(fields="redact")], [one]).kept[0].fields
    assert (numbered["deep"], numbered["ticket"]) == ({"by": ["[EMAIL_1]"]}, made.input_text)
    assert worked([Redact(fields="keep")], [one]).kept[0].fields == one.fields
    assert json.loads(made.expected) == {"name": "[PERSON_1]", "email": "[EMAIL_1]", "card": "[CARD_1]"}
    (step,) = done.steps
    assert (step.changed, step.tally["email"]) == (1, 4)
    assert any("web" in note or "url" in note for note in step.notes)
    only = worked([Redact(kinds=("email",))], [one]).kept[0]
    assert "Mara Velten" in only.input_text
    assert "mail.example" not in only.model_dump_json()


def test_redact_reaches_calls_and_worse_answers() -> None:
    call = ToolCall(
        id="1",
        function=Function(name="send", arguments='{"to": "ann@mail.example", "card": 4111111111111111}'),
    )
    turns = (
        Message(role="user", content="Write to ann@mail.example"),
        Message(role="assistant", content="", tool_calls=(call,)),
    )
    made = worked([Redact()], [make_example(turns)]).kept[0]
    assert json.loads(made.messages[1].tool_calls[0].function.arguments) == {
        "to": "[EMAIL_1]",
        "card": "[CARD_1]",
    }
    pair = make_example(ask("Who?", "ann@mail.example"), rejected="bob@mail.example")
    made = worked([Redact()], [pair]).kept[0]
    assert (made.expected, made.rejected) == ("[EMAIL_1]", "[EMAIL_2]")
    assert not make_example(ask("q", "a"), desirable=False).desirable
    rated = worked([Redact()], [make_example(ask("ann@mail.example?", "a"), desirable=False)]).kept[0]
    assert (rated.desirable, rated.rated) == (False, True)


def test_clean_mends_texts_and_drops_what_was_nothing_else() -> None:
    rows = [
        row("FranÃ§ois &amp; I<br>agree", "ok", note="Ã©t\u200bÃ©"),
        row("fine as it is"),
        row("<script>x()</script>", "ok"),
    ]
    done = worked([Clean(repairs=("encoding", "html", "controls"))], rows)
    assert [one.input_text for one in done.kept] == ["François & I\nagree", "fine as it is"]
    assert done.kept[0].fields == {"note": "été"}
    assert [reason for _, reason in done.dropped] == ["nothing is left of its question or its answer"]
    assert worked([Clean()], rows[2:]).kept == rows[2:]


def test_redact_reaches_numbers_names_of_fields_and_tools() -> None:
    tools = json.dumps(
        [{"type": "function", "function": {"name": "f", "description": "asks ann@mail.example"}}]
    )
    turns = (
        Message(role="user", content="q", name="bob@mail.example", tools=tools),
        Message(role="assistant", content="a"),
    )
    one = make_example(
        turns, fields={"card": 4111111111111111, "size": 12, "mara@mail.example": 1.5, "on": True}
    )
    made = worked([Redact(fields="redact")], [one]).kept[0]
    assert not any(secret in made.model_dump_json() for secret in ("mail.example", "4111"))
    assert made.fields == {"card": "[CARD_1]", "size": 12, "[EMAIL_3]": 1.5, "on": True}
    assert json.loads(made.messages[0].tools)[0]["function"]["name"] == "f"


def test_what_was_json_stays_json() -> None:
    one = row("q", '{"q": "say &quot;hi&quot;", "n": [1, 2.5]}')
    made = worked([Clean(repairs=("html",))], [one]).kept[0]
    assert json.loads(made.expected) == {"q": 'say "hi"', "n": [1, 2.5]}


def test_an_evaluation_that_can_be_half_read_is_refused(tmp_path: Path, evaluation: list[str]) -> None:
    rows = [row(text) for text in [*questions(200, 3), evaluation[4]]]
    parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": evaluation[4]}]}]}
    lines = (tmp_path / "eval.jsonl").read_text().splitlines()
    (tmp_path / "parts.jsonl").write_text("\n".join([*lines[:4], json.dumps(parts), *lines[5:]]) + "\n")
    assert len(worked([Decontaminate(against=("parts.jsonl",))], rows, root=tmp_path).kept) == 200
    (tmp_path / "broken.jsonl").write_text("\n".join([*lines[:4], "{not json", "{}", *lines[5:]]) + "\n")
    with pytest.raises(DataError, match=r"broken.jsonl"):
        worked([Decontaminate(against=("broken.jsonl",))], rows, root=tmp_path)
