"""What keeps the house in order: layers, cold start, dead settings."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tunewright"
LAYERS = (
    ("cli",),
    ("project",),
    ("report",),
    ("decide",),
    ("train", "evals", "baselines"),
    ("generate",),
    ("store", "data", "models", "grade"),
    ("core",),
)
OWN = ("ops", "columns", "presets")
"""Folders where settings stand beside what reads them."""
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}


def imports(path: Path) -> set[str]:
    """The rooms a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("tunewright.")}
    return found


def test_every_room_has_its_layer():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= set(RANK)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_down_only(path):
    room = path.relative_to(PACKAGE).parts[0]
    if room not in RANK:
        return  # tunewright/__init__.py is the front door
    wrong = {other for other in imports(path) if other != room and RANK[other] <= RANK[room]}
    assert wrong == set()


def test_only_project_knows_the_store():
    knowing = {
        path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if "store" in imports(path)
    } - {"store", "__init__.py"}  # the front door names its types
    assert knowing <= {"project", "cli"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["train", "--help"],
        ["--version"],
        ["schema"],
        ["schema", "train.epochs"],
    ],
    ids=" ".join,
)
def test_a_cold_start_imports_nothing_heavy(arguments):
    code = (
        "import sys; sys.argv = ['tunewright', *sys.argv[1:]]\n"
        "from tunewright.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    modules = done.stdout.splitlines()[-1].split()
    heavy = {"torch", "transformers", "peft", "scipy", "numpy", "pyarrow", "rich", "jsonschema", "tokenizers"}
    assert heavy & set(modules) == set()
    if "--help" in arguments:
        assert len(modules) <= 200


def test_no_setting_is_dead():
    """Every field of a settings model is read somewhere outside the file that declares it; an operation's, in its own."""
    from tunewright.project.fields import field_docs
    from tunewright.project.file import ProjectFile
    from tunewright.project.page import settings_models

    sources = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    dead = []
    for model in settings_models(ProjectFile):
        home = Path(sys.modules[model.__module__].__file__)
        own = re.findall(r"(?:spec|self)(\.\w+)", sources[home]) if home.parent.name in OWN else []
        elsewhere = "\n".join([*own, *(text for path, text in sources.items() if path != home)])
        dead += [
            f"{model.__name__}.{attribute}"
            for attribute in model.model_fields
            if f".{attribute}" not in elsewhere
            and f'"{attribute}"' not in elsewhere
            and attribute not in ("type", "op")
        ]
        assert list(field_docs(model))
    assert dead == []


def test_every_setting_says_what_it_is():
    from tunewright.project.fields import field_docs
    from tunewright.project.file import ProjectFile
    from tunewright.project.page import settings_models

    silent = [
        f"{model.__name__}.{doc.name}"
        for model in settings_models(ProjectFile)
        for doc in field_docs(model)
        if not doc.doc
    ]
    assert silent == []


def test_nothing_writes_files_for_spreadsheets():
    """Else cells that begin with = + - @ have to be made harmless first (docs/data.md)."""
    written = re.compile(r"csv\.writer|DictWriter|to_csv|to_excel|xlsxwriter|openpyxl|write_csv")
    assert [path.name for path in PACKAGE.rglob("*.py") if written.search(path.read_text())] == []


def test_files_and_functions_stay_small():
    large = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if text.count("\n") > 500:
            large.append(str(path.relative_to(PACKAGE)))
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                and node.end_lineno - node.lineno >= 80
            ):
                large.append(f"{path.relative_to(PACKAGE)}:{node.name}")
    assert large == []
