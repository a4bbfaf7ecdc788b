"""docs/synthetic.md says what there is: its examples are read, its tables are whole."""

import re
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from tunewright.data.ops import RecipeOp
from tunewright.data.ops.generate import Generate
from tunewright.data.spec import DataSpec
from tunewright.data.synthetic.columns import Column
from tunewright.data.synthetic.grammar import Grammar
from tunewright.data.synthetic.presets import Preset
from tunewright.generate.teacher import TeacherSpec

PAGE = (Path(__file__).parents[2] / "docs" / "synthetic.md").read_text("utf-8")


def types(union: Any) -> list[str]:
    return sorted(model.model_fields["type"].default for model in get_args(get_args(union)[0]))


def table(heading: str) -> list[str]:
    part = PAGE[PAGE.index(f"## {heading}") :].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", part, re.MULTILINE)


def test_every_column_and_preset_stands_in_its_table() -> None:
    assert sorted(table("Columns")) == types(Column)
    assert sorted(table("Presets")) == types(Preset)
    assert all(name in (Generate.model_fields["preset"].description or "") for name in types(Preset))


def test_the_examples_are_read() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    said = YAML(typ="safe").load(example)
    TypeAdapter(dict[str, TeacherSpec]).validate_python(said["teachers"])
    ops = TypeAdapter(list[RecipeOp]).validate_python(said["recipe"])
    assert [op.op for op in ops] == ["generate", "drop_near_duplicates"]
    (grammar,) = re.findall(r"```\n(start:.*?)```", PAGE, re.DOTALL)
    assert sorted(Grammar(grammar).rules) == ["NUMBER", "start", "target", "value"]


def test_the_guards_defaults_are_those_of_the_settings() -> None:
    said = dict(re.findall(r"^\| `data\.(\w+)` \| (\S+) \|", PAGE, re.MULTILINE))
    there = DataSpec().model_dump(mode="json")
    assert said == {name: str(there[name]).lower() for name in said}
    assert set(said) == {"synthetic_share", "synthetic_dev", "max_depth"}
