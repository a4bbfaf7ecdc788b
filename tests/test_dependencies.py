"""docs/dependencies.md and pyproject.toml name the same dependencies, each with its reasons."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

RUNTIME = [
    *(
        "click",
        "jinja2",
        "jsonschema",
        "llguidance",
        "numpy",
        "peft",
        "psutil",
        "pyarrow",
        "pydantic",
        "regex",
        "rich",
        "ruamel.yaml",
    ),
    *("safetensors", "scipy", "tokenizers", "torch", "transformers"),
]
EXTRAS = {"qlora": ["bitsandbytes"]}
DEV = ["bitsandbytes", "hypothesis", "mypy", "pytest", "pytest-xdist", "ruff", "tensorboard", "trl"]


def declared() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"run": project["dependencies"], **project["optional-dependencies"]}
    return {group: [re.split(r"[\s<>=!~;\[]", line)[0] for line in lines] for group, lines in groups.items()}


def documented(section: str) -> dict[str, tuple[str, str]]:
    """Package → (what for, why), from the table of a section."""
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    body = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("|")][2:]
    return {cells[0].strip(): (cells[1].strip(), cells[2].strip()) for cells in rows}


def test_the_list_is_the_one_we_weighed() -> None:
    assert declared() == {"run": RUNTIME, **EXTRAS, "dev": DEV}


def test_each_has_its_line_with_a_purpose_and_a_reason() -> None:
    extras = documented("Extras")
    pages = {"run": documented("To run"), "dev": documented("To develop")}
    pages |= {
        extra: {name: extras[name] for name in names if name in extras} for extra, names in EXTRAS.items()
    }
    assert {group: list(page) for group, page in pages.items()} == declared()
    assert all(what and why for page in pages.values() for what, why in page.values())
