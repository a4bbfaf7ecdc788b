"""What the main job must reach, measured: the example run through the command line, as a user would.

    python bench/main_job.py [--keep FOLDER] [--json FILE] [--set NAME=VALUE …]

Prints one table, each line measured beside its target. It fails when a command fails, not when a target is missed:
a table is read, a slow machine is no error.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from process import Measured, measure

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "support-json"
COMMAND = [sys.executable, "-c", "from tunewright.cli.main import main; main()"]
MODULES = """
import sys
from tunewright.cli.main import main
sys.argv = ["tunewright", "--help"]
try:
    main()
except SystemExit:
    print(len(sys.modules), file=sys.__stdout__)
"""
COPIED = ("customer.name", "customer.email", "product", "order_id", "amount")


class Line(NamedTuple):
    """A line of the table. `reached` is None for a line that has no target."""

    what: str
    measured: str
    target: str
    reached: bool | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="run in this folder and leave it there")
    parser.add_argument("--json", type=Path, help="write the table as JSON, too")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.keep or Path(scratch) / "support-json").resolve()
        copy_example(folder)
        lines = [*start_up(), *demo(folder, asked.settings)]
    print(f"{platform.platform()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}\n")
    print(as_markdown(lines))
    if asked.json:
        asked.json.write_text(json.dumps([line._asdict() for line in lines], indent=1) + "\n")


def copy_example(folder: Path) -> None:
    """The example's files, without what earlier runs left beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tunewright.yaml", "tickets.jsonl", "schema.json"):
        shutil.copy(EXAMPLE / name, folder / name)


def start_up() -> Iterator[Line]:
    """`tunewright --help`: the least CPU time of five runs, and the modules it loads."""
    runs = [checked(measure([*COMMAND, "--help"], ROOT)) for _ in range(5)]
    cpu = min(run.cpu_s for run in runs)
    modules = int(checked(measure([sys.executable, "-c", MODULES], ROOT)).stdout.split()[-1])
    yield Line("`tunewright --help`, CPU", f"{cpu:.2f} s", "≤ 0.2 s", cpu <= 0.2)
    yield Line("`tunewright --help`, modules", str(modules), "≤ 200", modules <= 200)


def demo(folder: Path, settings: list[str]) -> Iterator[Line]:
    """The whole run, then the run that has nothing to do."""
    command = [*COMMAND, "run", "--json", *(f"--set={setting}" for setting in settings)]
    first = checked(measure(command, folder, echo=True))
    again = checked(measure(command, folder))
    verdict = json.loads(first.stdout)
    yield from quality(verdict)
    yield from copied_fields(folder, settings)
    silence = longest_silence(folder)
    yield Line("the run, wall", f"{first.wall_s:.0f} s", "≤ 300 s", first.wall_s <= 300)
    yield Line("the run, longest time without a word", f"{silence:.1f} s", "≤ 15 s", silence <= 15)
    yield from step_times(folder)
    yield from foreseen(folder)
    yield Line(
        "the run, peak memory", f"{first.peak_bytes / 1e9:.2f} GB", "≤ 1.5 GB", first.peak_bytes <= 1.5e9
    )
    yield Line("the run with nothing stale, wall", f"{again.wall_s:.2f} s", "≤ 1.5 s", again.wall_s <= 1.5)
    yield Line("verdict", verdict["outcome"], "", None)
    yield unseen()
    yield killed()
    yield from not_held(folder, settings)


def killed() -> Line:
    """Runs killed in their steps and gone on with, beside an undisturbed one: tests/flow/test_kill.py."""
    command = [sys.executable, "-m", "pytest", "-v", str(ROOT / "tests/flow/test_kill.py"), "-k", "all"]
    found = measure(command, ROOT)
    same = found.code == 0 and "passed" in found.stdout and "skipped" not in found.stdout
    words = "the same bytes" if same else f"not known: pytest ended with {found.code}"
    return Line("kill -9 at ten moments and more, then run again", words, "the same bytes", same)


def unseen() -> Line:
    """The embedded base on a format it never saw, as its card says."""
    from tunewright.models import embedded

    found = json.loads((embedded.PATH / "card.json").read_text())["unseen_format"]
    none, four = (found[f"{shots}-shot, right"] for shots in (0, 4))
    words = f"{none:.1%}, with four examples {four:.1%}"
    return Line("embedded base, unseen format", words, "visibly better with four", four >= none + 0.1)


def quality(verdict: dict[str, Any]) -> Iterator[Line]:
    """The fine-tune's scores beside the baselines', and what the general suite lost."""
    shown = {(row["variant"], row["suite"]): row["scores"] for row in verdict["variants"]}
    rivals = [name for name, suite in shown if suite == "target" and name != verdict["candidate"]]
    for grader, words, target in (
        ("json_schema", "schema compliance", 0.99),
        ("field_accuracy", "field accuracy", 0.9),
    ):
        value = shown[verdict["candidate"], "target"][grader]["value"]
        yield Line(f"{words}, fine-tune", f"{value:.1%}", f"≥ {target:.0%}", value >= target)
        for rival in rivals:
            yield Line(f"{words}, {rival}", f"{shown[rival, 'target'][grader]['value']:.1%}", "", None)
    general = {
        name: next(iter(scores.values()))["value"]
        for (name, suite), scores in shown.items()
        if suite == "general"
    }
    loss = 100 * (general["prompt"] - general[verdict["candidate"]])
    held = any("general" in gate["name"] and not gate["passed"] for gate in verdict["gates"])
    yield Line("general suite, base", f"{general['prompt']:.1%}", "≥ 80%", general["prompt"] >= 0.8)
    yield Line("general suite, points lost", f"{loss:.1f}", "≤ 3, or the gate fails", loss <= 3 or held)


def target_replies(folder: Path, settings: list[str]) -> tuple[Any, ...]:
    """The fine-tune's scored replies on test."""
    from tunewright.evals.io import load_scorecard

    return load_scorecard(made(folder, settings)["evaluate"].file("cards/fine-tune--target.jsonl")).replies


def made(folder: Path, settings: list[str]) -> dict[str, Any]:
    """What each step made."""
    import tunewright
    from tunewright.project.written import parse_setting

    project = tunewright.open(folder, settings=dict(map(parse_setting, settings)))
    return {entry.step.name: entry.artifact for entry in project.plan()}


def not_held(folder: Path, settings: list[str]) -> Iterator[Line]:
    """The same weights' answers where nothing holds them to the schema."""
    settings = [*settings, "decoding.constrained=false"]
    checked(measure([*COMMAND, "run", "evaluate", *(f"--set={one}" for one in settings)], folder))
    replies = target_replies(folder, settings)
    for grader, words in (("json_schema", "schema compliance"), ("field_accuracy", "field accuracy")):
        mean = sum(reply.scores[grader].value for reply in replies) / len(replies)
        yield Line(f"{words}, fine-tune, not held to the schema", f"{mean:.1%}", "", None)


def copied_fields(folder: Path, settings: list[str]) -> Iterator[Line]:
    """The fields that are copied, on test, where every name and product is held out: all their values, then each field's.

    What is given where the ticket has nothing of the kind is no copy; it stands beside, and lowers the field accuracy.
    """
    from tunewright.data.freeze import load_part

    wanted = {
        row.id: dict(flat(json.loads(row.expected)))
        for row in load_part(made(folder, settings)["split"].path, "test")
    }
    found = {field: list[float]() for field in COPIED}
    invented = dict.fromkeys(COPIED, 0)
    for reply in target_replies(folder, settings):
        for field, score in (reply.scores["field_accuracy"].parts or {}).items():
            if field in COPIED and field in wanted[reply.example]:
                found[field].append(score)
            elif field in COPIED:
                invented[field] += 1
    every = [value for values in found.values() for value in values]
    for name, values in {"all fields": every, **found}.items():
        mean = sum(values) / len(values) if values else 0.0
        yield Line(f"copied right: {name} ({len(values)} values)", f"{mean:.1%}", "≥ 90%", mean >= 0.9)
    for name, count in invented.items():
        without = len(wanted) - len(found[name])
        yield Line(f"  {name} given where the ticket has none ({without} tickets)", str(count), "", None)


def flat(value: dict[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of an object, by their path."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{head}{key}.")
        else:
            yield head + key, inner


def events(folder: Path) -> list[dict[str, Any]]:
    """Every event of the runs, in the order of time."""
    logs = sorted((folder / ".tunewright" / "runs").glob("*.jsonl"))
    return [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines()]


def longest_silence(folder: Path) -> float:
    times = [event["time"] for event in events(folder)]
    return max((late - early for early, late in pairwise(times)), default=0.0)


def foreseen(folder: Path) -> Iterator[Line]:
    """Training as the look ahead said it would be, beside what it was: up to an early stop, if it stopped early."""
    when = {event["kind"]: event for event in events(folder) if event["kind"].startswith("train.")}
    if "train.preflight" not in when:
        return
    said, last = when["train.preflight"]["seconds"], when["train.step"]
    seen = when["train.check"]["time"] - when["train.preflight"]["time"]
    off = abs(said * last["step"] / last["steps"] / seen - 1)
    yield Line("training time foreseen", f"{said:.0f} s, seen {seen:.0f} s", "within 15 %", off <= 0.15)
    peak, taken = when["train.preflight"]["peak"] / 1e9, when["train.done"]["peak"] / 1e9
    words = f"{peak:.2f} GB, taken {taken:.2f} GB"
    yield Line("training memory foreseen", words, "within 15 %", abs(peak / taken - 1) <= 0.15)


def step_times(folder: Path) -> Iterator[Line]:
    for event in events(folder):
        if event["kind"] == "step.done":
            yield Line(f"  step {event['step']}", f"{event['seconds']:.1f} s", "", None)


def checked(found: Measured) -> Measured:
    """The measurement of a command that went well; else say so and stop."""
    if found.code:
        sys.exit(f"the command failed with exit code {found.code}\n{found.stdout}")
    return found


def as_markdown(lines: list[Line]) -> str:
    marks = {True: "yes", False: "NO", None: ""}
    rows = [("what", "measured", "target", "reached"), *((*line[:3], marks[line.reached]) for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([drawn[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *drawn[1:]])


if __name__ == "__main__":
    main()
