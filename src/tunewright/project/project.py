"""Project: the Python API. Everything the command line does is a method here, with the same types."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.events import Event
from tunewright.project.file import GENERAL, ProjectFile, file_path
from tunewright.project.plan import Planned, plan
from tunewright.project.reading import read
from tunewright.project.run import StepOutcome, run
from tunewright.project.steps import up_to
from tunewright.store import alias, lineage
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

if TYPE_CHECKING:
    from tunewright.core.generation import Reply
    from tunewright.core.message import Message
    from tunewright.decide.verdict import Verdict
    from tunewright.train.defaults import Choice
    from tunewright.train.spec import SettledSpec
    from tunewright.train.summary import TrainSummary

Listener = Callable[[Event], None]


class CheckResult(NamedTuple):
    """What `check` found. `outcomes` are the steps that stand: up to the gate when there is no problem."""

    problems: list[Problem]
    """What a run would stop at."""
    outcomes: list[StepOutcome]
    warnings: list[Problem]
    """What it would not stop at, but should be known: expected answers that their own graders fail."""


class RunResult(NamedTuple):
    """What a run brought up to date, and the verdict when it got that far."""

    outcomes: list[StepOutcome]
    verdict: "Verdict | None"
    production: str | None
    """The release that `production` names now, or none."""
    promoted: bool
    """Whether this run let `production` name its release."""


class Trained(NamedTuple):
    """What training left: the adapter, and what is known of the run."""

    adapter: Path
    """The adapter's folder, in PEFT's format."""
    summary: "TrainSummary"


class Project:
    """A project folder: its file, its store, and what can be done with them."""

    def __init__(self, root: Path, file: ProjectFile) -> None:
        self.root = root
        self.file = file
        self.store = Store(root)

    @classmethod
    def open(cls, path: str | Path = ".", settings: Mapping[str, Any] | None = None) -> "Project":
        """The project in a folder. Raises ProjectFileError with every problem of its file."""
        place = file_path(Path(path))
        file = read(place, settings)
        return cls(place.parent.resolve(), file)

    def check(self, listen: Listener | None = None) -> CheckResult:
        """The data, the base, the suites and the gate before training: every problem at once."""
        from tunewright.train.sinks import problems as sink_problems

        problems = [*self._data_problems(), *self._base_problems(), *self._suite_problems(None)]
        problems += sink_problems(self.file.train.sinks)
        if problems:
            return CheckResult(problems, [], [])
        try:
            with self.store.lock():
                outcomes = run(self.file, self.root, self.store, upto="gate", listen=listen)
        except UserError as error:
            return CheckResult(_problems_of(error), [], [])
        split = next(outcome.artifact for outcome in outcomes if outcome.step == "split")
        problems = self._suite_problems(split)
        gate = next(outcome.artifact for outcome in outcomes if outcome.step == "gate")
        return CheckResult(problems, outcomes, [] if problems else self._warnings(split, gate))

    def run(self, upto: str | None = None, listen: Listener | None = None) -> RunResult:
        """Do whatever is stale, resume whatever was cut off; promote the release when its gates passed.

        `upto` names a step of the table: only the steps that lead to it are run. Raises ProblemsError at once for a sink
        that training could not load.
        """
        from tunewright.train.sinks import problems as sink_problems

        trains = "train" in {step.name for step in up_to(upto)}
        if trains and (problems := sink_problems(self.file.train.sinks)):
            raise ProblemsError(problems)
        with self.store.lock():
            outcomes = run(self.file, self.root, self.store, upto=upto, listen=listen)
            made = {outcome.step: outcome.artifact for outcome in outcomes}
            promoted = "release" in made and self._promote(made["release"])
        verdict = None
        if "decide" in made:
            from tunewright.project.stages.deciding import read_verdict

            verdict = read_verdict(made["decide"])
        return RunResult(outcomes, verdict, alias.current(self.store.catalogue), promoted)

    def train(self, listen: Listener | None = None) -> Trained:
        """Bring training, and what leads to it, up to date: `tunewright.train` tells of it."""
        from tunewright.project.stages.training import read_summary

        made = {outcome.step: outcome.artifact for outcome in self.run("train", listen).outcomes}
        return Trained(made["train"].file("adapter"), read_summary(made["train"]))

    def choices(self, gate: Artifact) -> "tuple[Choice, ...]":
        """What training takes for the settings that the project file leaves out, by the rows that `gate` saw."""
        return self._settled(gate)[1]

    def plan(self) -> list[Planned]:
        """Where every step stands: fresh, stale, or waiting for a stale one."""
        return plan(self.file, self.root, self.store)

    def report(self) -> Path:
        """The newest report's HTML file. Raises UserError when there is none yet."""
        from tunewright.project.stages.reporting import REPORT

        made = [
            run.artifact
            for run in self.store.catalogue.runs()
            if run.step == "report" and run.status == "done"
        ]
        fresh = next((entry.artifact for entry in self.plan() if entry.step.name == "report"), None)
        artifact = fresh or (self.store.get(made[-1]) if made else None)
        if artifact is None:
            raise UserError("there is no report yet", where=str(self.root), fix="`tunewright run` makes it.")
        return artifact.file(REPORT)

    def lineage(self, ref: str = alias.PRODUCTION) -> lineage.Lineage:
        """An alias's, step's or artifact's ancestors, nearest first. Raises UserError for an unknown reference."""
        return lineage.ancestors(self.store, lineage.resolve(self.store, ref))

    def promote(self, ref: str, name: str = alias.PRODUCTION) -> str:
        """Let an alias name a release (whatever its gates said: it is your word); returns its name.

        Raises UserError when `ref` is no release, or the alias names it already.
        """
        with self.store.lock():
            release = lineage.resolve(self.store, ref)
            if release.manifest.derivation.step != "release":
                raise UserError(
                    f"{release.id} is no release", fix="`tunewright lineage release` names the newest."
                )
            release.verify()
            if not alias.promote(self.store.catalogue, release.id, name):
                raise UserError(f"{name} names {release.id} already")
            return release.id

    def rollback(self, name: str = alias.PRODUCTION) -> str:
        """Set an alias back to the release before; returns that. Raises UserError when there is none."""
        with self.store.lock():
            return alias.rollback(self.store.catalogue, name)

    def chat(self, messages: "Sequence[Message]", name: str = alias.PRODUCTION) -> "Reply":
        """Ask a release. The system prompt it was proven with is put first."""
        from tunewright.project.serving import load_release

        served = load_release(self.store, self.root, name, self.file.base)
        return served.generator.generate([tuple(messages)], served.variant.decoding)[0]

    def _settled(self, gate: Artifact) -> "tuple[SettledSpec, tuple[Choice, ...]]":
        """The settings of training with nothing left out, and what was chosen for it."""
        from tunewright.core.files import read_json
        from tunewright.train.defaults import Facts, settle

        return settle(self.file.train, Facts(*read_json(gate.file("gate.json"))["facts"]))

    def _promote(self, release: Artifact) -> bool:
        """Let `production` name a release whose gates passed; one that was rolled back needs your word."""
        from tunewright.core.files import read_json
        from tunewright.project.stages.deciding import RELEASE

        passed = read_json(release.file(RELEASE))["passed"]
        if not passed or release.id in alias.withdrawn(self.store.catalogue):
            return False
        return alias.promote(self.store.catalogue, release.id)

    def _data_problems(self) -> list[Problem]:
        from tunewright.data.ingest import inspect_sources

        return inspect_sources(
            self.file.sources, self.file.task, self.root, reject_budget=self.file.data.reject_budget
        )

    def _base_problems(self) -> list[Problem]:
        from tunewright.models.base import resolve_base

        try:
            resolve_base(self.file.base, self.root)
        except UserError as error:
            return _problems_of(error)
        return []

    def _suite_problems(self, split: Artifact | None) -> list[Problem]:
        """Graders and suites made, files read: what would else be found after training.

        Suites of test examples are made when the split stands; before, their graders alone.
        """
        from tunewright.data.freeze import load_part
        from tunewright.evals.suites import build_suite
        from tunewright.grade.build import build_graders

        problems: list[Problem] = []
        test = load_part(split.path, "test") if split else []
        for name, spec in self.file.suites.items():
            try:
                if spec.examples == "test" and split is None:
                    build_graders(spec.graders, self.file.task)
                else:
                    build_suite(name, spec, test, self.file.task, self.root)
            except UserError as error:
                problems += _problems_of(error)
        return problems

    def _warnings(self, split: Artifact, gate: Artifact) -> list[Problem]:
        """What the method has to say of its rows and a server of the adapter, and expected answers that score below 1.

        The built-in suite's do not.
        """
        from tunewright.data.freeze import load_part
        from tunewright.evals.suites import askable, build_suite
        from tunewright.grade.gold import check_gold
        from tunewright.train.lora import serving_warnings
        from tunewright.train.methods import find_method

        rows = [example for part in ("train", "dev") for example in load_part(split.path, part)]
        found = find_method(self.file.train.method).examine(rows, self.file.train)
        found += serving_warnings(self._settled(gate)[0].adapter)
        test = load_part(split.path, "test")
        asking = [example for example in test if not example.is_document]
        if left := len(asking) - len(askable(asking)):
            message = f"of the {len(asking)} test rows, {left} are rated bad or ask what another row asks: no suite has them"
            found.append(Problem(message, where="split"))
        own = {name: spec for name, spec in self.file.suites.items() if spec.examples != GENERAL}
        suites = [build_suite(name, spec, test, self.file.task, self.root) for name, spec in own.items()]
        return found + [
            problem
            for suite in suites
            for problem in check_gold(suite.examples, suite.graders_for, suite.name)
        ]


def _problems_of(error: UserError) -> list[Problem]:
    if isinstance(error, ProblemsError):
        return error.problems
    return [Problem(error.message, error.where, error.fix)]
