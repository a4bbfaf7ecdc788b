"""A project's teachers: which there are, who uses them, what is wrong with them, and one made ready to answer.

`base` is always there: the project's own base, as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from tunewright.core.errors import ModelError, Problem, UserError
from tunewright.core.events import Emit
from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.grading import Grader
from tunewright.core.hashing import hash_files, hash_value
from tunewright.core.message import Conversation
from tunewright.core.task import TaskSpec
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops import RecipeOp
from tunewright.data.synthetic.schema_file import schema_at
from tunewright.generate.teacher import TeacherSpec, key_in

if TYPE_CHECKING:
    from tunewright.generate.budgeted import Budget
    from tunewright.generate.remote import Say
    from tunewright.project.file import ProjectFile

BASE = "base"
"""The teacher that every project has."""
_OF_HOLDING = ("task.output.schema", "decoding.constrained")
"""What generators name as the place where answers cannot be held to a schema."""
QUESTION = "Answer with one word: which colour has the sky on a clear day?"
"""What a teacher is asked to see whether it answers."""
_PATIENCE_S = 60
"""Seconds that this may take."""


class TeacherFacts(NamedTuple):
    """A teacher, and its answer where it was asked."""

    name: str
    model: str
    """Its model: the name that it has where it answers, or a base and perhaps an adapter."""
    url: str
    """Where it answers; blank: on this machine."""
    key: str
    """Whether its key is at hand; blank where it needs none."""
    used_by: tuple[str, ...]
    """The operations that ask it."""
    budget: str
    """What one operation may ask of it; blank: anything."""
    reply: Reply | None = None
    cost: float = 0.0
    """What that answer cost, in `prices.currency`."""
    said: tuple[str, ...] = ()
    """What it does not take of what it is sent."""


def find(file: "ProjectFile", name: str) -> TeacherSpec:
    """The settings of a teacher. Raises UserError, with those there are, for another name."""
    if name in file.teachers:
        return file.teachers[name]
    if name == BASE:
        return TeacherSpec(base=file.base)
    known = tuple(dict.fromkeys((*file.teachers, BASE)))
    fix = did_you_mean(name, known) or "Name one of these, or write it under `teachers`."
    raise UserError(f"there is no teacher {name!r}; known are {listed(known)}", fix=fix)


def place(file: "ProjectFile", name: str) -> str:
    """The field that says who a teacher is."""
    return f"teachers.{name}" if name in file.teachers else "base"


def used(ops: Iterable[RecipeOp]) -> dict[str, tuple[str, ...]]:
    """Teacher → the operations that ask it, by their names."""
    found: dict[str, tuple[str, ...]] = {}
    for spec in ops:
        for name in dict.fromkeys(_said(spec, "teachers").values()):
            found[name] = (*found.get(name, ()), spec.id or spec.op)
    return found


def identities(file: "ProjectFile", root: Path, ops: Iterable[RecipeOp]) -> dict[str, str]:
    """Of each teacher that operations ask, its name in lineages, and a hash of who answers and how, and how much it may be
    asked.

    Its key and its price are no part of it. Raises UserError where there is no such teacher, or no such base.
    """
    found = {}
    for name in sorted(used(ops)):
        spec = find(file, name)
        bounds = [spec.max_calls, spec.max_cost]
        told = f"teacher {name}" + (f" ({spec.model} at {spec.address})" if spec.url else "")
        found[told] = hash_value([who(spec, root, place(file, name)), spec.decoding, bounds])
    return found


def who(spec: TeacherSpec, root: Path, where: str) -> str:
    """Hash of who answers: the address and the model's name there, or the weights. Raises ModelError."""
    if spec.url:
        return hash_value([spec.chat_url, spec.model])
    adapter = _adapter(spec, root, where)
    names = [] if adapter is None else [path.name for path in adapter.iterdir() if path.is_file()]
    return hash_value([_base(spec, root, where).hash, hash_files(adapter, names) if adapter else None])


def build(spec: TeacherSpec, root: Path, where: str, say: "Say | None" = None) -> Generator:
    """The generator behind a teacher, without budget and journal. Raises ModelError where it cannot be had."""
    if spec.url:
        from tunewright.generate.remote import RemoteGenerator

        return RemoteGenerator(spec, where=where, say=say)
    from tunewright.generate.resolve import load_local

    return _Here(load_local(_base(spec, root, where), _adapter(spec, root, where)), where)


class _Here:
    """A teacher on this machine; what it cannot be held to is told by its own place, not by that of the task's answers."""

    def __init__(self, generator: Generator, where: str) -> None:
        self._generator, self._where = generator, where

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order."""
        try:
            return self._generator.generate(conversations, decoding, on_reply)
        except ModelError as error:
            if error.where not in _OF_HOLDING:
                raise
            fix = "Write a plainer schema, or let another teacher answer."
            raise ModelError(error.message, where=self._where, fix=fix) from error


class Door:
    """The way to a teacher behind an address: it says once who is asked, or lets nobody through.

    What is remembered does not come here.
    """

    def __init__(
        self, generator: Generator, name: str, spec: TeacherSpec, *, opened: bool, emit: Emit
    ) -> None:
        self._generator, self._name, self._spec = generator, name, spec
        self._opened, self._emit = opened, emit
        self._told = False

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order. Raises UserError where the teacher is not to be asked."""
        spec = self._spec
        if not self._opened:
            message = f"{spec.model} at {spec.address} has yet to answer, and a look asks nobody that costs or is elsewhere"
            raise UserError(message, where=f"teachers.{self._name}", fix=_TO_ASK)
        if not self._told:
            self._told = True
            self._emit(
                "teacher.begins", teacher=self._name, model=spec.model, url=spec.address, key_env=spec.key_env
            )
        return self._generator.generate(conversations, decoding, on_reply)


_TO_ASK = (
    "`tunewright run prepare` asks it, and so do `check` and `data preview` with --ask;"
    " `tunewright teachers` has its bounds."
)


def budget(spec: TeacherSpec) -> "Budget":
    """How much may be asked of a teacher, and its prices."""
    from tunewright.generate.budgeted import Budget

    return Budget(spec.max_calls, spec.max_cost, spec.price_in, spec.price_out)


def grader(settings: Mapping[str, Any], task: TaskSpec, root: Path) -> Grader:
    """The grader that settings describe; a schema may be the path of a file below `root`.

    Raises ValidationError for what is no setting, UserError for what does not work.
    """
    from tunewright.grade.build import build_grader
    from tunewright.grade.spec import GraderSpec

    if isinstance(name := settings.get("schema"), str):
        settings = {**settings, "schema": schema_at(name, root)}
    return build_grader(TypeAdapter[Any](GraderSpec).validate_python(dict(settings)), task)


def problems(file: "ProjectFile", root: Path) -> Iterator[Problem]:
    """What is wrong with teachers, and with those and the graders that operations name, each with its field."""
    if BASE in file.teachers:
        fix = f"Give it another name: `{BASE}` is the project's own base."
        yield Problem(f"{BASE} is a teacher already", f"teachers.{BASE}", fix)
    for name, spec in file.teachers.items():
        try:
            _look(spec, root, f"teachers.{name}")
        except UserError as error:
            yield Problem(error.message, error.where, error.fix)
    for number, op in enumerate(file.recipe):
        for at, name in _said(op, "teachers").items():
            try:
                find(file, name)
            except UserError as error:
                yield Problem(error.message, f"recipe.{number}.{at}", error.fix)
        for at, settings in _said(op, "graders").items():
            yield from _grader_problems(settings, file.task, root, f"recipe.{number}.{at}")


def facts(
    file: "ProjectFile", root: Path, names: Sequence[str] = (), ask: str | None = None
) -> list[TeacherFacts]:
    """The teachers of these names (all, where none is given), each asked once where there is a question.

    What goes wrong with one is an error in its reply. Raises UserError for a name that is none.
    """
    chosen = list(dict.fromkeys(names)) or [*file.teachers, BASE]
    specs = {name: find(file, name) for name in chosen}
    by = used(file.recipe)
    return [_facts(file, root, name, spec, by.get(name, ()), ask) for name, spec in specs.items()]


def _facts(
    file: "ProjectFile", root: Path, name: str, spec: TeacherSpec, by: tuple[str, ...], ask: str | None
) -> TeacherFacts:
    model = spec.model or " + ".join(filter(None, [spec.base, spec.adapter]))
    bounds = [f"{spec.max_calls:,} answers"] if spec.max_calls is not None else []
    bounds += [f"{spec.max_cost:g} {file.prices.currency}"] if spec.max_cost is not None else []
    found = TeacherFacts(name, model, spec.address, _key(spec), by, ", ".join(bounds))
    if ask is None:
        return found
    said: list[str] = []
    reply = _ask(spec, root, place(file, name), ask, said)
    cost = budget(spec).cost(reply.tokens_in, reply.tokens_out)
    return found._replace(reply=reply, cost=cost, said=tuple(said))


def _ask(spec: TeacherSpec, root: Path, where: str, question: str, said: list[str]) -> Reply:
    from tunewright.core.message import Message

    try:
        once = {"retries": 0, "timeout_s": min(spec.timeout_s, _PATIENCE_S)}
        generator = build(spec.model_copy(update=once), root, where, said.append)
        return generator.generate([(Message(role="user", content=question),)], spec.decoding)[0]
    except UserError as error:
        return Reply("", 0, 0, 0.0, "error", str(error))


def _key(spec: TeacherSpec) -> str:
    if not spec.key_env:
        return ""
    try:
        key_in(spec.key_env)
    except ValueError as error:
        return str(error).removeprefix("the environment variable ")
    return f"in {spec.key_env}"


def _said(op: RecipeOp, what: str) -> Mapping[str, Any]:
    """The teachers or graders that an operation says it uses: place below it → name or settings."""
    module = import_module(f"tunewright.data.ops.{op.op}")
    return getattr(module, what)(op) if hasattr(module, what) else {}


def _grader_problems(
    settings: Mapping[str, Any], task: TaskSpec, root: Path, where: str
) -> Iterator[Problem]:
    try:
        grader(settings, task, root)
    except ValidationError as error:
        yield from (_wrong_setting(wrong, str(settings.get("type")), where) for wrong in error.errors())
    except UserError as error:
        yield Problem(error.message, f"{where}.{error.where}" if error.where else where, error.fix)


def _wrong_setting(error: Any, grader: str, where: str) -> Problem:
    """What pydantic says of a grader's setting, as a sentence."""
    place = ".".join([where, *(str(part) for part in error["loc"] if part != grader)])
    if error["type"] == "union_tag_invalid":
        return Problem(f"there is no grader {grader!r}", place, f"Known: {error['ctx']['expected_tags']}.")
    said = {
        "missing": f"the grader {grader} needs it",
        "extra_forbidden": f"the grader {grader} has no such setting",
    }
    return Problem(said.get(error["type"], f"of the grader {grader}: {error['msg']}"), place)


def _look(spec: TeacherSpec, root: Path, where: str) -> None:
    """Raise ModelError where a base or an adapter's folder is not there; the hub is not asked."""
    from tunewright.models.base import check_folder

    if spec.url:
        return
    try:
        check_folder(spec.base, root)
    except ModelError as error:
        raise ModelError(error.message, where=f"{where}.base", fix=_OTHER_BASE) from None
    _adapter(spec, root, where)


_OTHER_BASE = "Give a folder that holds a model, a hub id, or `embedded`."


def _base(spec: TeacherSpec, root: Path, where: str) -> Any:
    from tunewright.models.base import resolve_base

    try:
        return resolve_base(spec.base, root)
    except ModelError as error:
        if where == BASE:
            raise
        raise ModelError(error.message, where=f"{where}.base", fix=_OTHER_BASE) from None


def _adapter(spec: TeacherSpec, root: Path, where: str) -> Path | None:
    """The folder of a teacher's adapter, or of the whole model that it stands for."""
    if not spec.adapter:
        return None
    folder = root / Path(spec.adapter).expanduser()
    if not any((folder / name).is_file() for name in ("adapter_config.json", "config.json")):
        fix = "Name a folder with an adapter_config.json: `tunewright train` tells where it put one."
        raise ModelError(f"{spec.adapter} holds no adapter", where=f"{where}.adapter", fix=fix)
    return folder
