"""Names: by lists, by what stands around them, by their shape; and words that are no names."""

import pytest

from tunewright.data.redact.people import find_people


def found(text):
    return [text[span.start : span.end] for span in sorted(find_people(text), key=lambda span: span.start)]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Ann Lee met Bob and Maria.", ["Ann Lee", "Bob", "Maria"]),
        ("It was Johannes van der Berg Jr who called", ["Johannes van der Berg Jr"]),
        ("Ask Kate M. Begum, or J. R. Hartmann", ["Kate M. Begum", "J. R. Hartmann"]),
        ("Anna's phone and O'Brien’s card", ["Anna", "O'Brien"]),
        ("SARA SCHWARZ signed", ["SARA SCHWARZ"]),
        ("Robert. He asked David. David said no.", ["Robert", "David", "David"]),
        (
            "Łukasz Wiśniewski, Šárka Nováková, Þórdís Jónsdóttir",
            ["Łukasz Wiśniewski", "Šárka Nováková", "Þórdís Jónsdóttir"],
        ),
        ("Nguyen Thi Hoa and Jean-Pierre Dubois", ["Nguyen Thi Hoa", "Jean-Pierre Dubois"]),
        ("they had 3: silvana, christopher and pamela", ["silvana", "christopher", "pamela"]),
    ],
)
def test_names_that_lists_know(text, people):
    assert found(text) == people


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("My name is Zorbla Quint, hello", "Zorbla Quint"),
        ("my name is john smith", "john smith"),
        ("Hi Vexley, thanks for calling", "Vexley"),
        ("Yours sincerely,\nQuorra Blint", "Quorra Blint"),
        ("From: Zorbla Quint", "Zorbla Quint"),
        ("Mr. Park is out", "Park"),
        ("Dr Grumpus told us", "Grumpus"),
        ("my brother Zorbla came", "Zorbla"),
        ('This is absurd," says Zorbla', "Zorbla"),
        ("Zorbla shouted at us", "Zorbla"),
        ("Me llamo Zorbla", "Zorbla"),
        ("Rose shouted", "Rose"),
        ("Torpy and Salinas were", "Torpy"),
    ],
)
def test_names_that_something_vouches_for(text, person):
    assert person in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The Will of the People in May. Rose petals. Mark it! Can I pay?",
        "Can I top up with Apple Pay, Visa or Mastercard in London on Monday?",
        "Jackson High School, Wilson Street, Anderson Hospital, Smith Ltd",
        "How To Reset Your Password In Five Steps",
        "Python, Docker and TensorFlow; UnexpectedException, NaN",
        "Grouping is applied. Pricing has changed.",
        "CAN I DO THAT? WHAT DO I PRESS",
        "I'm waiting. Don't worry. We'll see.",
        "See /home/John/x, @Maria, Maria_1 and x.Anna",
        "the german shepherd and the rose",
        "",
    ],
)
def test_what_is_no_person(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Signed by\nZorbla Quint", ["Zorbla Quint"]),
        ("my brother \nZorbla, came", ["Zorbla"]),
        ("Many thanks.\n\nZorbla", ["Zorbla"]),
        ("Kind regards\n\n> Zorbla Quint", ["Zorbla Quint"]),
        ("It was written by.\n\nZorbla Quint, hello", []),
        ("We met with\n\nZorbla, now", []),
    ],
)
def test_what_vouches_for_a_name_over_the_end_of_a_line(text, people):
    assert found(text) == people
