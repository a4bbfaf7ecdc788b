"""Boilerplate: lines that many texts share are found, taken out, and told."""

import pytest
from worked import worked

from ends import ends
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.data.boilerplate import (
    RunningLines,
    SharedLines,
    shared_lines,
    without_lines,
    without_running,
)
from tunewright.data.ops.boilerplate import Boilerplate

FOOTER = "This message is confidential and meant for its reader alone."


def found(texts: list[str]) -> dict[str, int]:
    shared = SharedLines()
    for text in texts:
        shared.add(text)
    return shared.found(share=0.2, least=20)


def test_shared_lines_are_found_and_taken_out() -> None:
    texts = [f"Question {at}\nYes.\n{FOOTER}" for at in range(100)] + ["One line\nmore"] * 3
    assert found(texts) == {FOOTER: 100}
    assert found(texts[:10]) == {}
    assert without_lines(f"Q\n  {FOOTER}  \n", {FOOTER}) == "Q"
    assert without_lines(f"{FOOTER}\n{FOOTER}", {FOOTER}) == f"{FOOTER}\n{FOOTER}"
    assert without_lines("Q\nA\n", {FOOTER}) == "Q\nA\n"
    assert shared_lines(f"Q\n {FOOTER}\n") == {FOOTER}


def test_shared_lines_outlive_many_rare_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunewright.data.boilerplate._MOST_LINES", 50)
    own = "a line of its own {0}\nanother line of its own {0}"
    assert found([f"{own.format(at)}\n{FOOTER}" for at in range(2000)]).keys() == {FOOTER}


def page(number: int, of: int = 12) -> str:
    head = "Handbook" if number % 2 else f"Lamps | Page {number} of {of}"
    return f"{head}\n\nChapter {number}\nLamp {number} is sold with a cable.\nIt has {number} lights.\n- {number} -"


def test_heads_and_feet_of_pages_are_found_whatever_their_number_is() -> None:
    running = RunningLines[str]()
    for number in range(1, 13):
        running.add("a.pdf", page(number))
        running.add("b.pdf", f"Letter\n\n{number} things\nmore of them")
        running.add("few.pdf" if number < 5 else "none.pdf", f"Letter\n\n{number}. thing\nits {number}. sort")
    assert running.found() == {
        "a.pdf": {"Handbook", "Lamps | #", "#"},
        "b.pdf": {"Letter", "more of them"},
        "none.pdf": {"Letter"},
    }
    assert without_running(page(2), {"Handbook", "Lamps | #", "#"}).splitlines() == [
        "Chapter 2",
        "Lamp 2 is sold with a cable.",
        "It has 2 lights.",
    ]
    assert without_running("Handbook", {"Handbook"}) == "Handbook"
    assert without_running("Handbook\n\n7", {"Handbook", "#"}) == "Handbook\n\n7"


def document(number: int, file: str, text: str) -> Example:
    return make_document(text, fields={"page": number}, origin=Origin(source="s", file=file, row=number))


def test_the_operation_takes_them_out_and_tells() -> None:
    lamps = [document(number, "lamps.pdf", f"{page(number)}") for number in range(1, 13)]
    few = [
        document(number, "few.pdf", f"Handbook\n{number} things\nmore\nand more\nand so on")
        for number in range(3)
    ]
    mails = [
        make_example(ask(f"Where is it, {at}?\n\n{FOOTER}", f"Here {at}.\n{FOOTER}")) for at in range(30)
    ]
    done = worked([Boilerplate()], [*lamps, *few, *mails])
    assert [one.expected for one in done.kept[:2]] == [
        "Chapter 1\nLamp 1 is sold with a cable.\nIt has 1 lights.",
        "Chapter 2\nLamp 2 is sold with a cable.\nIt has 2 lights.",
    ]
    assert done.kept[12:15] == few
    assert done.kept[15].messages == ask("Where is it, 0?", f"Here 0.\n{FOOTER}")
    (step,) = done.steps
    assert (step.rows_in, step.rows_out, step.changed) == (45, 45, 42)
    assert step.notes == (
        "Heads and feet of 12 pages of 1 file were taken out: '#', 'Handbook', 'Lamps | #' (# is a number).",
        f"Lines that many rows share were taken out (rows): {FOOTER!r} (30).",
    )
    assert done.kept[0].fields == {"page": 1}


def test_answers_go_by_choice_and_instructions_and_json_never() -> None:
    system = f"You are a clerk.\n{FOOTER}"
    rows = [
        make_example(
            ask(f'{{"n": {at},\n{FOOTER}\n}}', f"{at}\n{FOOTER}", system=system), rejected=f"no\n{FOOTER}"
        )
        for at in range(30)
    ]
    done = worked([Boilerplate()], rows)
    assert done.kept == rows
    assert done.steps[0].notes == ("No line is shared by enough rows: nothing was taken out.",)
    made = worked([Boilerplate(answers=True)], rows).kept[7]
    assert (made.messages[:2], made.expected, made.rejected) == (rows[7].messages[:2], "7", "no")


def test_many_pages_outlive_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunewright.data.boilerplate._MOST_LINES", 100)
    running = RunningLines[int]()
    for file in range(20):
        for number in range(20):
            running.add(file, f"Book {file}\nwhat {number}\nis no {number}\n{number}")
    assert running.found() == {file: {f"Book {file}", "#"} for file in range(20)}


def test_rows_of_one_file_are_no_pages() -> None:
    rows = [
        make_document(
            f"Tom has {at} lamps.\nHow many now?\nHe has {at} of them.\n#### 9",
            origin=Origin(source="sums", file="sums.jsonl", row=at),
        )
        for at in range(1, 21)
    ]
    done = worked([Boilerplate()], rows)
    assert done.kept == rows
    assert done.steps[0].notes == ("No line is shared by enough rows: nothing was taken out.",)


def test_pages_in_any_order_and_files_of_one_name_are_told_apart() -> None:
    def pages(source: str, file: str, head: str) -> list[Example]:
        return [
            make_document(
                f"{head}\nChapter {at:c}\nLamp {at:c}\nIt has {at:c} lights.",
                fields={"page": at},
                origin=Origin(source=source, file=file, row=at),
            )
            for at in range(65, 77)
        ]

    several = [pages("x", "a.pdf", "Handbook"), pages("x", "b.pdf", "Letters"), pages("y", "a.pdf", "Notes")]
    rows = [row for turn in zip(*several, strict=True) for row in turn]
    rows[-1] = make_document(
        "Handbook\nof the\nlamps\nand\nmore", fields={"page": 99}, origin=rows[-1].origin
    )
    done = worked([Boilerplate()], rows)
    assert [one.expected for one in done.kept[:4]] == [
        *["Chapter A\nLamp A\nIt has A lights."] * 3,
        "Chapter B\nLamp B\nIt has B lights.",
    ]
    assert done.kept[-1] == rows[-1]
    assert done.steps[0].notes == (
        "Heads and feet of 35 pages of 3 files were taken out: 'Handbook', 'Letters', 'Notes' (# is a number).",
    )


def test_lines_of_one_count_are_shown_in_their_order() -> None:
    lines = [f"{letter} is what all of these mails end with." for letter in "hgfedcba"]
    rows = [make_example(ask("\n".join([f"Question {at}", *lines]), "a")) for at in range(20)]
    shown = ", ".join(f"{line!r} (20)" for line in sorted(lines)[:5])
    assert worked([Boilerplate()], rows).steps[0].notes == (
        f"Lines that many rows share were taken out (rows): {shown} and 3 more.",
    )


def test_hostile_text_comes_to_an_end() -> None:
    for piece in ("1", "p. ", "page 1 of ", "- ", "i", "1 / ", "page " * 3 + "1" * 6, "-\u00a0", "p.\t"):
        for end in ("", "x", "!"):
            line = (piece * 400)[: 400 - len(end)] + end
            with ends():
                running = RunningLines[str]()
                for _ in range(500):
                    running.add("f", f"{line}\n{line}\nx\n{line}")
                (found,) = running.found().values()
                assert without_running(f"{line}\nis\nwhat\nx", found) == "is\nwhat"
