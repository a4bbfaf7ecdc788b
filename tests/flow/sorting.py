"""A project small enough to be run whole in seconds, on the embedded base."""

import json
from pathlib import Path

PROJECT = """\
name: sorting
task:
  system: Say whether the message is praise, a bug or a question.
sources:
  rows: {path: rows.csv, columns: {input: text, expected: kind}}
suites:
  target: {examples: test, graders: [{type: exact_match}], slices: [product]}
  general: {examples: general, limit: 12}
baselines: {few_shot: [1, 2], dev_limit: 6}
decoding: {max_new_tokens: 8}
train: {epochs: 2, batch_tokens: 512, adapter: {rank: 4}, rehearsal: 0.2}
prices: {input_per_million: 0.1, output_per_million: 0.4, machine_per_hour: 0.2}
"""
SAYINGS = {
    "praise": ("I love the {}.", "The {} is great.", "Thanks, the {} works well."),
    "bug": ("The {} is broken.", "My {} does not start.", "The {} stopped this morning."),
    "question": ("How do I open the {}?", "Where is the {} made?", "Does the {} need water?"),
}
PRODUCTS = ("lamp", "kettle", "radio", "clock", "chair", "phone", "bag", "table")


def write_project(folder: Path) -> Path:
    """The project file, its 72 rows, the first of them once more; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(text.format(p), kind, p) for kind, texts in SAYINGS.items() for text in texts for p in PRODUCTS]
    rows.append(rows[0])
    lines = ["text,kind,product", *(",".join(json.dumps(cell) for cell in row) for row in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "tunewright.yaml").write_text(PROJECT)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every artifact file that is determined by its inputs, by name."""
    root = folder / ".tunewright" / "artifacts"
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in files
        if path.relative_to(root).parts[1] != "measured"
    }
