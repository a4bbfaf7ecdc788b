"""Project: the Python API. Everything the command line does is a method here, with the same types."""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunewright.core.errors import Problem, ProblemsError, ProjectFileError, UserError
from tunewright.core.events import Event, silent, telling
from tunewright.project.file import GENERAL, TARGET, ProjectFile, file_path
from tunewright.project.means import ANSWERS, ProjectMeans
from tunewright.project.plan import Planned, plan
from tunewright.project.reading import complete, missing
from tunewright.project.run import StepOutcome, run
from tunewright.project.steps import up_to
from tunewright.project.written import Written, written
from tunewright.store import alias, lineage
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

if TYPE_CHECKING:
    from tunewright.core.generation import Reply
    from tunewright.core.message import Message
    from tunewright.data.audit.whole import WholeAudit
    from tunewright.data.coverage import Coverage
    from tunewright.decide.cost import LatencySummary
    from tunewright.decide.verdict import Verdict
    from tunewright.project.auditing import AuditSpec
    from tunewright.project.coverage import Looked
    from tunewright.project.preview import Preview
    from tunewright.project.recipe_graph import RecipeGraph
    from tunewright.project.reviewing import ReviewQueue
    from tunewright.project.status import AtWork
    from tunewright.project.teachers import TeacherFacts
    from tunewright.project.why import Trails
    from tunewright.store.catalogue import AliasMove
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
    """What it would not stop at, but should be known: expected answers that their own graders fail, a further suite that
    asks what training rows ask, any suite's file that asks what dev rows ask."""


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

    def __init__(self, root: Path, file: ProjectFile, page: Written) -> None:
        """`page` is the file as it is written: it knows the lines."""
        self.root = root
        self.file = file
        self.store = Store(root)
        self._page = page

    @classmethod
    def open(cls, path: str | Path = ".", settings: Mapping[str, Any] | None = None) -> "Project":
        """The project in a folder.

        Raises ProjectFileError with every problem of its file; what it names and is not there is told with them.
        """
        place = file_path(Path(path))
        page = written(place, settings)
        try:
            file = complete(page)
        except ProjectFileError as error:
            raise ProjectFileError(page.in_order([*error.problems, *missing(page)])) from None
        return cls(place.parent.resolve(), file, page)

    def check(self, listen: Listener | None = None, *, ask: bool = False) -> CheckResult:
        """The data, the base, the suites and the gate before training: every problem at once.

        Teachers that cost or are elsewhere are asked with `ask` alone; without it, rows that they have yet to write are a
        problem.
        """
        from tunewright.project.suite_leaks import Leaks, suite_leaks
        from tunewright.train.sinks import problems as sink_problems

        problems = [*self._data_problems(), *self._base_problems(), *self._suite_problems(None)]
        problems += sink_problems(self.file.train.sinks)
        if problems:
            return CheckResult(self._placed(problems), [], self._of_the_adapter())
        try:
            with self._placing(), self.store.lock():
                outcomes = run(self.file, self.root, self.store, upto="gate", listen=listen, asks=ask)
        except UserError as error:
            return CheckResult(self._placed(_problems_of(error)), [], self._of_the_adapter())
        split = next(outcome.artifact for outcome in outcomes if outcome.step == "split")
        problems = self._suite_problems(split)
        emit = telling(listen) if listen else silent
        leaks = Leaks({}, {}, {}) if problems else suite_leaks(self.file, self.root, self.store, split, emit)
        if TARGET in leaks.train:
            problems.append(leaks.train.pop(TARGET))
        gate = next(outcome.artifact for outcome in outcomes if outcome.step == "gate")
        if problems:
            return CheckResult(self._placed(problems), outcomes, self._of_the_adapter())
        warnings = [*leaks.problems, *self._warnings(split, gate)]
        return CheckResult([], outcomes, self._placed(warnings))

    def run(self, upto: str | None = None, listen: Listener | None = None, *, ask: bool = True) -> RunResult:
        """Do whatever is stale, resume whatever was cut off; promote the release when its gates passed.

        `upto` names a step of the table: only the steps that lead to it are run. Without `ask`, no teacher is asked that
        costs or is elsewhere. Raises UserError at once for a step that is not there, and where rows that are stale have to
        be asked for and may not; ProblemsError for a sink that training could not load.
        """
        from tunewright.train.sinks import problems as sink_problems

        trains = "train" in {step.name for step in up_to(upto)}
        if trains and (problems := sink_problems(self.file.train.sinks)):
            raise ProblemsError(self._placed(problems))
        with self._placing(), self.store.lock():
            outcomes = run(self.file, self.root, self.store, upto=upto, listen=listen, asks=ask)
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
        with self._placing():
            return plan(self.file, self.root, self.store)

    def at_work(self) -> "AtWork | None":
        """The step that a run in another process is at, and how far it is; none where there is no such run."""
        from tunewright.project.status import at_work

        return at_work(self.store)

    def coverage(self, against: str | Path | None = None, looked: "Looked | None" = None) -> "Coverage":
        """What the training rows are about, and what a file of real traffic asks that none of them is near to. What is stale
        is done first, up to the split.
        """
        from tunewright.data.freeze import load_part
        from tunewright.project.coverage import cover_rows

        made = {outcome.step: outcome.artifact for outcome in self.run("split", ask=False).outcomes}
        traffic = None if against is None else Path(against)
        return cover_rows(
            load_part(made["split"].path, "train"), against=traffic, root=self.root, looked=looked
        )

    def audit(self, looked: "AuditSpec | None" = None) -> "WholeAudit":
        """What is odd about the data after the recipe and the split, and what mends it. What is stale is done first, up to
        the split.

        `looked` names another base, length, method or schema than the project's, or the kinds of findings that are looked
        for. Raises UserError for one that there is not.
        """
        from tunewright.project.auditing import audit_opened

        return audit_opened(self, looked)

    def why(self, row: str) -> "Trails":
        """Where a row came from, and what each operation of the recipe made of it.

        `row` is its place (tickets.csv:12; the file's name is enough where one fits) or an example's id. What is stale is
        done first, up to the split; where that stops, the ways end there and `stopped` says why. Raises UserError where no
        row is named so, or several files are.
        """
        from tunewright.project.why import trails
        from tunewright.project.why_reached import reach_split

        return trails(reach_split(self), row, self.root)

    def recipe(self) -> "RecipeGraph":
        """The recipe's graph: sources and operations, the columns that go in and out of each, and what was done to rows.

        Nothing is run: of what is stale it tells what the settings say.
        """
        from tunewright.project.recipe_graph import recipe_graph

        with self._placing():
            found = recipe_graph(self)
        stopped = None if found.stopped is None else self._placed([found.stopped])[0]
        return found._replace(stopped=stopped)

    def preview(
        self,
        operation: str | None = None,
        *,
        shown: int = 5,
        rows: int = 200,
        ask: bool = False,
        listen: Listener | None = None,
    ) -> "Preview":
        """What the recipe, up to an operation, makes of the first rows of each source; only teachers' answers are kept.

        Raises UserError for an operation that is not there, DataError where one does not go with the rows. Teachers that
        cost or are elsewhere are asked with `ask` alone: what they were not asked before raises UserError without it.
        `listen` hears whom it asks, what their servers do not take, and what it cost.
        """
        from tunewright.project.preview import preview

        ingested = self.run("ingest").outcomes[-1].artifact
        emit = silent if listen is None else telling(listen)
        means = ProjectMeans(self.file, self.root, kept=self.store.root / ANSWERS, asks=ask, emit=emit)
        try:
            with self._placing():
                return preview(self.file.recipe, ingested, operation, means=means, shown=shown, rows=rows)
        finally:
            means.tell()  # it was spent, whatever came of it

    def teachers(self, *names: str, ask: str | None = None) -> "list[TeacherFacts]":
        """The teachers of these names, all where none is given; with `ask` each answers that question, once.

        What goes wrong with one is an error in its reply. Raises UserError for a name that is none.
        """
        from tunewright.project.teachers import facts

        with self._placing():
            return facts(self.file, self.root, names, ask)

    def review(
        self, selection: Mapping[str, Any] | None = None, *, by: str | None = None, at: str | None = None
    ) -> "ReviewQueue":
        """The rows to review, as `selection` takes them ({"rows": 50, "where": "chars > 2000"}); decisions go to the file
        that the operation `review` reads. What is stale is done first, up to that operation.

        `by` is who reviews, and the machine's user without it; `at` names the operation, where there are several. Raises
        UserError for a selection that cannot be made, DataError for a file of reviews with a line that is no decision.
        """
        from tunewright.project.review_place import find_place
        from tunewright.project.reviewing import open_queue, selection_of

        wanted = selection_of(selection or {})
        with self._placing():
            place = find_place(self.file, at, by)
        ingested = self.run("ingest").outcomes[-1].artifact
        with self._placing(), self.store.lock():
            return open_queue(self.file, self.root, self.store, ingested, place, wanted)

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

    def latencies(self, outcomes: Sequence[StepOutcome]) -> "dict[str, LatencySummary]":
        """Variant → the times of its answers to the target suite. For the outcomes of a run that got to the verdict."""
        from tunewright.project.stages.measuring import latencies

        made = {outcome.step: outcome.artifact for outcome in outcomes}
        return latencies(made["baselines"], made["evaluate"], self.file.prices)

    def lineage(self, ref: str = alias.PRODUCTION) -> lineage.Lineage:
        """An alias's, step's or artifact's ancestors, nearest first, the recipe's operations among them. Raises UserError
        for an unknown reference."""
        from tunewright.project.ancestry import whole_lineage

        return whole_lineage(self.store, lineage.resolve(self.store, ref))

    def releases(self, name: str = alias.PRODUCTION) -> "list[AliasMove]":
        """The moves of an alias, oldest first: what it named from then on (Unix seconds). The last is what it names now."""
        return self.store.catalogue.alias_moves(name)

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

    def _placed(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems with the lines of the fields that they name."""
        known = self.file.model_dump(by_alias=True)
        return [self._page.placed(problem, known) for problem in problems]

    @contextmanager
    def _placing(self) -> Iterator[None]:
        """Errors that pass through get the lines of the fields that they name, and a full disk its place."""
        try:
            yield
        except UserError as error:
            self._page.place_error(error, self.file.model_dump(by_alias=True))
            raise
        except OSError as error:
            if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
                error.filename = str(self.store.root)  # the system does not say which file it could not write
            raise

    def _data_problems(self) -> list[Problem]:
        from tunewright.data.ingest import inspect_sources
        from tunewright.models.machine import free_cores

        return inspect_sources(
            self.file.sources,
            self.file.task,
            self.root,
            reject_budget=self.file.data.reject_budget,
            workers=free_cores(),
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
        from tunewright.evals.suites import build_suite, own_graders

        problems: list[Problem] = []
        test = load_part(split.path, "test") if split else []
        for name, spec in self.file.suites.items():
            try:
                own_graders(name, spec, self.file.task)
            except UserError as error:
                problems += _problems_of(error)
                spec = spec.model_copy(update={"graders": ()})  # what else is wrong is told beside it
            if spec.examples == "test" and split is None:
                continue
            try:
                build_suite(name, spec, test, self.file.task, self.root)
            except UserError as error:
                problems += _problems_of(error)
        return problems

    def _of_the_adapter(self) -> list[Problem]:
        """What the settings alone say of where the adapter is to be served."""
        from tunewright.train.served import serving_warnings

        return self._placed(serving_warnings(self.file.train.adapter))

    def _warnings(self, split: Artifact, gate: Artifact) -> list[Problem]:
        """What the method has to say of its rows and a server of the adapter, worked examples that the rows are too few
        for, and expected answers that score below 1. The built-in suite's do not.
        """
        from tunewright.baselines.few_shot import left_out
        from tunewright.data.freeze import load_part
        from tunewright.evals.suites import askable, build_suite
        from tunewright.grade.gold import check_gold
        from tunewright.models.base import resolve_base
        from tunewright.models.load import load_tokenizer
        from tunewright.models.template import Renderer
        from tunewright.train.bos import missing
        from tunewright.train.methods import find_method
        from tunewright.train.served import serving_warnings
        from tunewright.train.untouched import stacked_experts, untouched_experts

        rows = [example for part in ("train", "dev") for example in load_part(split.path, part)]
        found = find_method(self.file.train.method).examine(rows, self.file.train)
        adapter, base = self._settled(gate)[0].adapter, resolve_base(self.file.base, self.root)
        experts = stacked_experts(adapter, base)
        found += [*serving_warnings(adapter, experts), *untouched_experts(adapter, experts)]
        found += missing(Renderer(load_tokenizer(base)), self.file.train)
        if too_many := left_out(self.file.baselines, askable(load_part(split.path, "train"))):
            found.append(Problem(too_many.words, where="baselines.few_shot"))
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
