"""What a teacher answered is kept: which two asks are the same, and which are not."""

from pathlib import Path
from typing import Any

import pytest
from writing_desk import RuleTeacher, WritingDesk

from tunewright.core.generation import Generator
from tunewright.data.ops.generate import Generate
from tunewright.data.recipe import apply_recipe, graph
from tunewright.generate.remembering import Remembering


class KeepingDesk(WritingDesk):
    """A desk whose teacher's answers are kept in a folder, as a project keeps them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.asked = RuleTeacher(lambda asked, how: f"{asked} {how.seed}")
        self._keeping = Remembering(self.asked, folder / "answers.jsonl", "big")

    def generator(self, name: str) -> Generator:
        return self._keeping


def answers(folder: Path, **more: Any) -> tuple[list[str], int]:
    """What an operation writes, and how many questions it took."""
    columns = {
        "input": {"type": "text", "prompt": "Ask something.", **more.pop("how", {})},
        "expected": {"type": "expression", "template": "yes"},
    }
    spec = Generate.model_validate({"rows": 4, "columns": columns, **more})
    desk = KeepingDesk(folder)
    made = apply_recipe(graph([spec], {"rows": []}), {"rows": []}, folder / "out", means=desk)
    return [row.input_text for row in made.examples], len(desk.asked.asked)


def test_two_operations_with_equal_prompts_get_answers_of_their_own_and_none_is_asked_twice(
    tmp_path: Path,
) -> None:
    (first, asked), (second, more) = answers(tmp_path, id="first"), answers(tmp_path, id="second")
    assert (asked, more) == (4, 4)
    assert len({*first, *second}) == 8
    for name, said in (("first", first), ("second", second)):
        assert answers(tmp_path, id=name) == (said, 0)


@pytest.mark.parametrize(
    ("more", "asked"),
    [({"seed": 1}, 4), ({"how": {"prompt": "Ask."}}, 4), ({"how": {"top_p": 0.5}}, 4), ({"rows": 6}, 2)],
)
def test_what_makes_another_ask(tmp_path: Path, more: dict[str, Any], asked: int) -> None:
    answers(tmp_path, id="first")
    assert answers(tmp_path, id="first", **more)[1] == asked


def test_the_likeliest_answer_is_the_same_whoever_asks(tmp_path: Path) -> None:
    cold = {"how": {"temperature": 0}}
    assert answers(tmp_path, id="first", **cold)[1] == 4
    assert answers(tmp_path, id="second", **cold)[1] == 0
