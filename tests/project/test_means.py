"""Operations that measure rows as the project's base reads them."""

from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError
from tunewright.core.example import make_document
from tunewright.core.files import read_json
from tunewright.data.ops.max_tokens import MaxTokens, apply
from tunewright.data.ops.op import FilesOnly, Rows

PROJECT = """\
name: lengths
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe: [{op: max_tokens, tokens: 60, least: 20}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = [f"Where is parcel {number}?" for number in range(30)]
    long = ["This parcel came too late. " * 20]
    (tmp_path / "rows.csv").write_text(
        "\n".join(["text,kind", *(f"{text},delivery" for text in texts + long)]) + "\n"
    )
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path


def test_rows_too_long_for_the_base_go(folder: Path) -> None:
    found = tunewright.open(folder).preview()
    assert (found.account.rows_in, found.account.rows_out, found.account.dropped) == (31, 30, 1)
    ((place, reason),) = found.dropped
    assert place == "rows.csv:32"
    assert int(reason.removesuffix(" tokens")) > 100


def test_the_prompt_counts_and_a_changed_one_measures_anew(folder: Path) -> None:
    made = tunewright.open(folder).run("prepare").outcomes[-1].artifact
    assert [row["account"]["dropped"] for row in read_json(made.file("recipe.json"))] == [1]
    assert not tunewright.open(folder).run("prepare").outcomes[-1].made
    (folder / "tunewright.yaml").write_text(PROJECT.replace("Say the kind.", "Say the kind. " * 20))
    made = tunewright.open(folder).run("prepare").outcomes[-1].artifact
    assert [row["account"]["dropped"] for row in read_json(made.file("recipe.json"))] == [31]


def test_without_a_project_there_is_no_base() -> None:
    with pytest.raises(UserError, match="a project's base"):
        list(apply(MaxTokens(tokens=5), Rows({"rows": [make_document("a")]}), FilesOnly(Path())))
