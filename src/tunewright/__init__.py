"""Tunewright: from "should we fine-tune?" to a small language model that is proven better.

    import tunewright as tw

    project = tw.open(".")
    project.check()
    result = project.run()
    print(result.verdict.words)

docs/python.md has the call of every command. What the calls return is found here by name, too (`tw.RunResult`), and
imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from tunewright.core.errors import DataError as DataError
    from tunewright.core.errors import GateError as GateError
    from tunewright.core.errors import IntegrityError as IntegrityError
    from tunewright.core.errors import ModelError as ModelError
    from tunewright.core.errors import Problem as Problem
    from tunewright.core.errors import ProblemsError as ProblemsError
    from tunewright.core.errors import ProjectFileError as ProjectFileError
    from tunewright.core.errors import TunewrightError as TunewrightError
    from tunewright.core.errors import UserError as UserError
    from tunewright.core.events import Event as Event
    from tunewright.core.generation import Reply as Reply
    from tunewright.core.message import Message as Message
    from tunewright.data.audit.whole import WholeAudit as WholeAudit
    from tunewright.data.coverage import Coverage as Coverage
    from tunewright.data.recipe import OpResult as OpResult
    from tunewright.data.recipe import RecipeResult as RecipeResult
    from tunewright.decide.cost import LatencySummary as LatencySummary
    from tunewright.decide.verdict import Verdict as Verdict
    from tunewright.models.machine import MachineFacts as MachineFacts
    from tunewright.project.advice import DoctorResult as DoctorResult
    from tunewright.project.auditing import AuditSpec as AuditSpec
    from tunewright.project.fields import FieldDoc as FieldDoc
    from tunewright.project.file import ProjectFile as ProjectFile
    from tunewright.project.importing import Imported as Imported
    from tunewright.project.init import Made as Made
    from tunewright.project.plan import Planned as Planned
    from tunewright.project.preview import Preview as Preview
    from tunewright.project.project import CheckResult as CheckResult
    from tunewright.project.project import Listener as Listener
    from tunewright.project.project import Project as Project
    from tunewright.project.project import RunResult as RunResult
    from tunewright.project.project import Trained as Trained
    from tunewright.project.recipe_graph import OperationNode as OperationNode
    from tunewright.project.recipe_graph import RecipeGraph as RecipeGraph
    from tunewright.project.recipe_graph import SourceNode as SourceNode
    from tunewright.project.recipes import Op as Op
    from tunewright.project.recipes import Source as Source
    from tunewright.project.reviewing import ReviewQueue as ReviewQueue
    from tunewright.project.run import StepOutcome as StepOutcome
    from tunewright.project.status import AtWork as AtWork
    from tunewright.project.teachers import TeacherFacts as TeacherFacts
    from tunewright.project.why import Rejected as Rejected
    from tunewright.project.why import Trail as Trail
    from tunewright.project.why import Trails as Trails
    from tunewright.store.artifact import Artifact as Artifact
    from tunewright.store.catalogue import AliasMove as AliasMove
    from tunewright.store.lineage import Lineage as Lineage
    from tunewright.train.defaults import Choice as Choice
    from tunewright.train.summary import TrainSummary as TrainSummary

_HOMES = {
    "core.errors": (
        *("DataError", "GateError", "IntegrityError", "ModelError", "Problem", "ProblemsError"),
        *("ProjectFileError", "TunewrightError", "UserError"),
    ),
    "core.events": ("Event",),
    "core.generation": ("Reply",),
    "core.message": ("Message",),
    "data.audit.whole": ("WholeAudit",),
    "data.coverage": ("Coverage",),
    "data.recipe": ("OpResult", "RecipeResult"),
    "decide.cost": ("LatencySummary",),
    "decide.verdict": ("Verdict",),
    "models.machine": ("MachineFacts",),
    "project.advice": ("DoctorResult",),
    "project.auditing": ("AuditSpec",),
    "project.fields": ("FieldDoc",),
    "project.file": ("ProjectFile",),
    "project.importing": ("Imported",),
    "project.init": ("Made",),
    "project.plan": ("Planned",),
    "project.preview": ("Preview",),
    "project.project": ("CheckResult", "Listener", "Project", "RunResult", "Trained"),
    "project.recipe_graph": ("OperationNode", "RecipeGraph", "SourceNode"),
    "project.recipes": ("Op", "Source"),
    "project.reviewing": ("ReviewQueue",),
    "project.run": ("StepOutcome",),
    "project.status": ("AtWork",),
    "project.teachers": ("TeacherFacts",),
    "project.why": ("Rejected", "Trail", "Trails"),
    "store.artifact": ("Artifact",),
    "store.catalogue": ("AliasMove",),
    "store.lineage": ("Lineage",),
    "train.defaults": ("Choice",),
    "train.summary": ("TrainSummary",),
}
"""Module → what is taken from it when it is asked for. The types above say the same to a type checker."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def init(
    folder: "str | Path",
    *,
    recipe: str = "structured-output",
    data: "str | Path | None" = None,
    base: str = "embedded",
) -> "Made":
    """Make a project: write `folder`/tunewright.yaml, with a comment for each field.

    `recipe` is what to start from (`tunewright init --recipes` shows them), `data` a file of rows, `base` the model to
    start from: `embedded`, a hub id, or a folder as named from here.

    Raises UserError for an unknown recipe, for data that is missing or cannot be used, and for a folder that is a
    project already; then nothing is written.
    """
    from pathlib import Path

    from tunewright.project.init import init

    return init(Path(folder), recipe, None if data is None else Path(data), base)


def import_config(
    config: "str | Path",
    folder: "str | Path",
    *,
    tool: "Literal['axolotl', 'llamafactory', 'openai'] | None" = None,
    dataset_info: "str | Path | None" = None,
) -> "Imported":
    """Make a project of another tool's `config`: Axolotl's or LLaMA-Factory's YAML, an OpenAI fine-tuning job's JSON.

    Writes `folder`/tunewright.yaml and says of every key what became of it: carried over, changed, or without a
    counterpart. `tool` is told where the config does not tell; `dataset_info` is LLaMA-Factory's, where it lies elsewhere.

    Raises UserError for a config that cannot be read or trains by a method that is not here, and for a folder that is a
    project already; then nothing is written.
    """
    from pathlib import Path

    from tunewright.project.importing import import_config

    return import_config(
        Path(config), Path(folder), tool, None if dataset_info is None else Path(dataset_info)
    )


def apply_recipe(
    sources: "Source | Mapping[str, Source]",
    ops: "Sequence[Op]",
    out: "str | Path",
    *,
    task: "Mapping[str, Any] | None" = None,
    root: "str | Path" = ".",
) -> "RecipeResult":
    """Read rows and work a recipe on them, without a project: its rows and their account stay in the folder `out`.

    `sources` is a path (`hub:owner/name` too), a source's settings, or rows ({"input": …, "expected": …}, or chat rows); or
    several of these by name. `ops` are operations as a project file has them ({"op": "filter", "keep": …}), or those of
    `tunewright.data.ops` (`ops.Filter(keep=…)`). `task` is the project file's, and files are named from `root`.

    What wants a model (`judge`, `generate` with a teacher, `max_tokens`, `perplexity`) wants a project. Raises
    ProjectFileError for settings, DataError for the rows, UserError where something is in `out` already.
    """
    from pathlib import Path

    from tunewright.project.recipes import apply

    return apply(sources, ops, Path(out), task=task, root=Path(root))


def open(path: "str | Path" = ".", *, settings: "Mapping[str, Any] | None" = None) -> "Project":
    """The project in the folder `path` (or whose tunewright.yaml is `path`).

    `settings` overrides fields by dotted name, as `--set` does: {"train.adapter.rank": 16}.
    Raises ProjectFileError with every problem of the file.
    """
    from tunewright.project.project import Project

    return Project.open(path, settings=settings or {})


def doctor(path: "str | Path" = ".") -> "DoctorResult":
    """What this machine can do, and what that means for the project in `path`, where there is one.

    Sizes are in bytes. A base that is not on this machine is not fetched. Raises UserError where there is nothing at
    `path`.
    """
    from pathlib import Path

    from tunewright.project.advice import examine

    return examine(Path(path))


def schema() -> dict[str, Any]:
    """The project file's JSON Schema, for editors."""
    from tunewright.project.file import ProjectFile

    return ProjectFile.model_json_schema()


def field(name: str) -> "FieldDoc":
    """What a field of the project file is, by the dotted name that `settings` and `--set` take: `train.adapter.rank`.

    Raises UserError, with the nearest names there are, for another.
    """
    from tunewright.project.fields import find_field
    from tunewright.project.file import ProjectFile

    return find_field(ProjectFile, name)


def _train(
    path: "str | Path" = ".",
    *,
    settings: "Mapping[str, Any] | None" = None,
    listen: "Listener | None" = None,
) -> "Trained":
    """Train the project in the folder `path`, and no further; the data and the gate are brought up to date first.

    `settings` overrides fields by dotted name, as `--set` does: {"train.method": "dpo", "train.dpo.beta": 0.2}.

    `listen` is called with each event: its `kind`, its `time` in Unix seconds, and its `data`, which are

    - `train.load`: `base` is loaded. `train.start`: `steps`, `rows`, `threads`, whether rows are `packed` or `padded`, and
      why they are `not_packed`.
    - `train.warning`: in `words`, what should be known of the rows, the settings or the adapter before it trains.
    - `train.discarded`: in `words`, why a run that was begun is not taken up.
    - `train.preflight`, before the first step: what the run will take, `seconds`, and `peak` and `available` in bytes of
      memory.
    - `train.reference` (dpo, kto): rows that were read under the base, `done` of `total`; `train.recalled` where all `rows`
      were read by an earlier run.
    - `train.step`: `step` of `steps`, its `loss`, the gradient's norm before clipping (`grad_norm`), the learning rate
      (`lr`), `tokens` and `trained_tokens`, both also a second (`tokens_per_s`, `trained_tokens_per_s`), `memory` in bytes,
      `seconds_left` and the seconds that training has taken (`elapsed`, attempts that were cut off with it); with rehearsal
      `rehearsal_loss`; of dpo `reward_margin` and `reward_accuracy`, of orpo `log_odds_ratio` and `reward_accuracy`, of kto
      `reward_good_less_bad`.
    - `train.estimate`, after 20 steps (`by_steps`), and after 2 in a short run or one that goes on: what all of it will
      take, by them, `seconds`.
    - `train.dev`: the dev `loss`, with `train.dev_answers` the answers' mean `score`, and whether these weights are the
      `best`.
    - `train.trouble`: in `words`, a loss at a `step` that rose (`state`: `spike`, `diverged`) or is no number (`broken`);
      the `rows` with the least likely answers, or without a gradient that is a number.
    - `train.strength`: the dev `loss` at a `strength` that is tried. `train.check`: the proofs begin.
    - `train.done`: `steps`, `best_step`, `best_dev_loss`, and the `peak` of memory in bytes.
    - `train.sink_failed`: the `error` of a `sink`, which is left out from there.

    Where the machine has a price, `train.preflight`, `train.estimate` and `train.step` have the `cost` in `currency`.
    `step.done` says the `seconds` that a step of the project took.

    The losses, each the mean over a step's trained tokens, pairs or answers (`train/methods` has the formulas).
    Log-probabilities are in nats: one for each token, summed to one for each row [rows], of which pairs make [pairs].

    - `sft`: the negative log-likelihood of a trained token, answers and their end of turn; in nats.
    - `cpt`: the same of a token of a document, its end with it and its first token without.
    - `dpo`: of a pair, by `train.dpo.loss`: sigmoid (arXiv:2305.18290), hinge (SLiC-HF, arXiv:2305.10425, as
      arXiv:2309.06657 has it), ipo (arXiv:2310.12036), robust (arXiv:2403.00409), simpo (arXiv:2405.14734); and
      `train.dpo.nll` times the chosen answer's negative log-likelihood a token (arXiv:2404.19733).
    - `orpo`: of a pair (arXiv:2403.07691).
    - `kto`: of a rated answer (arXiv:2402.01306).

    Returns the adapter's folder and a summary. The update of a linear layer W [out, in] is s B A with A [rank, in],
    B [out, rank] (LoRA, arXiv:2106.09685), in PEFT's files; s is alpha / rank, with `rslora` alpha / √rank
    (arXiv:2312.03732). `dora` trains each row's size too (arXiv:2402.09353), `pissa` begins at the largest singular values
    (arXiv:2404.02948), `qlora` trains over four bits (arXiv:2305.14314), and `b_rate` lets B learn faster (LoRA+,
    arXiv:2402.12354). Steps are AdamW's (arXiv:1711.05101), `adamw8bit` keeps its moments in eight bits (arXiv:2110.02861);
    the schedule `wsd` is arXiv:2404.06395's, `neftune` arXiv:2310.05914's, `strength` arXiv:2109.01903's. A run that was cut
    off goes on; one that is done is found again.

    Raises ProjectFileError for the project file, DataError for the rows, ModelError for the base or its template,
    GateError where the gate refuses the rows or training did not take, ProblemsError for sinks that are not installed,
    UserError for an unknown method, a sink that does not start, or a project that is at work elsewhere, and OSError where
    the disk is full.
    """
    return open(path, settings=dict(settings or {})).train(listen)


if TYPE_CHECKING:
    train = _train
else:

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name == "train":  # the package of that name, which can be called
            return import_module("tunewright.train")
        if name in _HOME_OF:
            return getattr(import_module(f"tunewright.{_HOME_OF[name]}"), name)
        raise AttributeError(f"module 'tunewright' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, "train"} - {"Any", "TYPE_CHECKING"})
