"""What a deep audit finds: personal data, secrets, near duplicates, too few rows."""

from ends import ends
from tunewright.core.example import Example, ask, make_example
from tunewright.data.audit.audit import Finding, audit


def row(question: str, answer: str = "x", **fields: object) -> Example:
    return make_example(ask(question, answer), fields=fields)


def found(rows: list[Example], part: str = "train") -> dict[str, Finding]:
    return {finding.kind: finding for finding in audit({part: rows}, deep=True).findings}


PLAIN = [
    row(f"How do I clean the kettle number {n} of the kind {n * 7919 % 1000}?", f"answer {n}")
    for n in range(60)
]


def test_personal_data_is_counted_by_kind_and_not_shown() -> None:
    personal = row("Write to mara.velten@mail.example", note="IBAN DE89 3704 0044 0532 0130 00")
    finding = found([*PLAIN, personal])["personal_data"]
    assert (finding.severity, finding.count, finding.examples) == ("warning", 1, (personal.id,))
    assert finding.message == "1 of 61 rows of train hold personal data: email 1, iban 1."
    assert finding.mend == "recipe: redact"


def test_a_secret_is_an_error() -> None:
    secret = row("Why does hf_abcdefghijklmnopqrstuvwxyzABCDEFGH not work?")
    finding = found([*PLAIN, secret])["secret"]
    assert (finding.severity, finding.count) == ("error", 1)
    assert "hf_" not in finding.message


def test_a_first_name_alone_is_no_warning_and_a_name_with_its_surname_is() -> None:
    story, letter = row("Natalia sold 48 clips in April."), row("Dear Anna Miller, the kettle leaks.")
    told = [
        one
        for one in audit({"train": [*PLAIN, story, letter]}, deep=True).findings
        if one.kind == "personal_data"
    ]
    assert [(one.severity, one.examples, one.message) for one in told] == [
        ("warning", (letter.id,), "1 of 62 rows of train hold personal data: person 1."),
        ("info", (story.id,), "1 of 62 rows of train hold no personal data but people's first names."),
    ]


def test_near_duplicates_are_named_with_the_row_that_stays() -> None:
    text = "the parcel with the two broken lamps came on Monday morning and nobody was at home to take it in"
    rows = [*PLAIN, row(text), row(f"{text} please")]
    finding = found(rows)["near_duplicate"]
    assert (finding.count, finding.examples) == (1, (rows[-1].id, rows[-2].id))


def test_rows_that_differ_in_numbers_alone_are_told_as_such_and_no_warning() -> None:
    form = "Dear shop, my order {} of 2026-03-{} has not come yet, and nobody answers the phone. Where is it now, please?"
    filled = [row(form.format(f"A-{n * 7919}", 10 + n % 20), "delivery") for n in range(80)]
    other = row(form.format("A-1", 10).replace("please", "thank you"), "delivery")
    told = {
        one.severity: one
        for one in audit({"train": [*filled, other]}, deep=True).findings
        if one.kind == "near_duplicate"
    }
    numbers = told["info"]
    assert numbers.count > 60
    assert numbers.message == (
        f"{numbers.count} of 81 rows of train say what an earlier row says with other numbers (orders, dates, amounts): a"
        " template filled in. Keep them where the numbers are what is to be learnt: of each template one row would be left."
    )
    assert (told["warning"].count, told["warning"].examples[0]) == (1, other.id)


def test_what_differs_in_letters_alone_is_a_warning() -> None:
    text = "the parcel with the 2 broken lamps came on Monday morning and nobody was at home to take it in"
    rows = [*PLAIN, row(text), row(text.upper())]
    told = [one for one in audit({"train": rows}, deep=True).findings if one.kind == "near_duplicate"]
    assert [(one.severity, one.count) for one in told] == [("warning", 1)]


def test_a_word_without_end_takes_no_time() -> None:
    long = "a" * 200_000
    with ends():
        found([row(f"{long} {n}") for n in range(3)])


def test_too_few_rows_are_said_of_those_that_are_trained() -> None:
    assert "few_rows" in found(PLAIN[:30])
    assert "few_rows" in found(PLAIN[:30], "all")
    assert "few_rows" not in found(PLAIN[:30], "test")
    assert not audit({"train": PLAIN[:30]}).findings


def test_plain_rows_have_nothing_odd() -> None:
    assert found(PLAIN) == {}
