"""The project file as it is written: its values, and the place of each, for all that is said of them later."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from tunewright.core.errors import Problem, ProblemsError, ProjectFileError, UserError

LARGEST = 1_000_000
"""Bytes a project file may have, as it stands and with its aliases written out."""
_MERGING = 1_000_000
"""Aliases times characters that a text with merge keys (`<<`) may have: at each merge of a mapping the YAML reader compares
its keys with those of every merge before, so that time grows with the keys and the square of the merges."""
_SEE = "`tunewright schema NAME` says what a field is."


@dataclass(frozen=True)
class Written:
    """A project file's values with their lines; they need not be a good project."""

    path: Path
    raw: Any
    """As the YAML reader has it: it knows the lines."""
    values: dict[str, Any]
    """Plain values, with the settings laid over them."""
    settings: Mapping[str, Any]
    """What was laid over the file, by dotted name."""

    def way(self, loc: Sequence[int | str]) -> list[str]:
        """The parts of a place's dotted name.

        Parts of `loc` that name a union's branch, as pydantic's do, are passed over.
        """
        names: list[str] = []
        node: Any = self.values
        for index, part in enumerate(loc):
            if isinstance(node, Mapping) and str(part) in node:
                node = node[str(part)]
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                node = node[part]
            elif index < len(loc) - 1 or _is_branch(str(part)):
                continue
            names.append(str(part))
        return names

    def place(self, loc: Sequence[int | str]) -> tuple[str, int | None]:
        """The dotted name of a place and the line of what is written there, or nearest above it."""
        way = self.way(loc)
        line: int | None = None
        node = self.raw
        for part in way:
            keys = {str(key): key for key in node} if isinstance(node, Mapping) else {}
            if part in keys:
                line = node.lc.key(keys[part])[0] + 1 if hasattr(node, "lc") else line
                node = node[keys[part]]
            elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
                line = node.lc.item(int(part))[0] + 1 if hasattr(node, "lc") else line
                node = node[int(part)]
            else:
                break
        return ".".join(way), line

    def setting(self, loc: Sequence[int | str]) -> str | None:
        """The setting that was laid over this place, or over what it lies in; none where the file itself says it."""
        plain = ".".join(map(str, loc))
        return next((name for name in self.settings if f"{plain}.".startswith(f"{name}.")), None)

    def where(self, *loc: int | str) -> str:
        """The place for a message that names the field: file:line, the file alone where no line says it, or the setting."""
        if setting := self.setting(loc):
            return f"--set {setting}"
        line = self.place(loc)[1]
        return f"{self.path}:{line}" if line else str(self.path)

    def field(self, *loc: int | str) -> str:
        """The place for a message that does not name the field: `where` and the dotted name."""
        name = ".".join(map(str, loc))
        where = self.where(*loc)
        return where if where == f"--set {name}" else f"{where}: {name}"

    def in_order(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems by their lines, those without one first."""
        begins = re.compile(rf"{re.escape(str(self.path))}:(\d+)")
        found = [(begins.match(problem.where or ""), problem) for problem in problems]
        return [problem for _, problem in sorted(found, key=lambda each: int(each[0][1]) if each[0] else 0)]

    def placed(self, problem: Problem, known: Mapping[str, Any]) -> Problem:
        """The problem with the line of the field that its `where` begins with; as it is where it names none.

        `known` are the values with all defaults: a file called data.csv is no field.
        """
        name, comma, rest = (problem.where or "").partition(", ")
        loc = _loc(name, known)
        return replace(problem, where=f"{self.field(*loc)}{comma}{rest}") if loc else problem

    def place_error(self, error: UserError, known: Mapping[str, Any]) -> None:
        """Put the lines of fields into an error that is on its way up."""
        if isinstance(error, ProblemsError):
            error.problems = [self.placed(problem, known) for problem in error.problems]
        error.where = self.placed(Problem(error.message, error.where), known).where


def _is_branch(part: str) -> bool:
    """Whether it is pydantic's name of a type among several, and no name of a field: `dict[str,any]`, `str`."""
    return "[" in part or part.removeprefix("constrained-") in ("str", "int", "float", "bool")


def written(path: Path, settings: Mapping[str, Any] | None = None) -> Written:
    """The project file at `path`, with `settings` ({"train.adapter.rank": 16}) laid over it.

    Raises ProjectFileError where it cannot be read as a mapping, or a setting has no place in it.
    """
    raw = _parse(path, _text(path))
    values = _plain(raw, str(path))
    laid = {name: as_written(value) for name, value in (settings or {}).items()}
    for name, value in laid.items():
        _lay_over(values, name, value)
    return Written(path, raw, values, laid)


def as_written(value: Any) -> Any:
    """A setting as a file has it: of settings as objects (`ops.DropDuplicates()`) those that were given, and their kind."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        said = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        kind = getattr(value, "op", None)
        return said if kind is None else {"op": kind, **said}
    if isinstance(value, Mapping):
        return {name: as_written(one) for name, one in value.items()}
    return [as_written(one) for one in value] if isinstance(value, list | tuple) else value


def parse_setting(text: str) -> tuple[str, Any]:
    """`train.adapter.rank=16` as a name and a YAML value; a value that begins with a template is text.

    Raises ProjectFileError where it has no `=`, or its value is not YAML.
    """
    from ruamel.yaml.error import YAMLError

    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise ProjectFileError([Problem(f"{text!r} is not a setting", "--set", "Write it as name=value.")])
    if value.lstrip().startswith("{{"):
        return name, value
    try:
        return name, _plain(_load(value, f"--set {name}"), f"--set {name}")
    except (YAMLError, RecursionError, ValueError):
        fix = "Put text with signs in it between quotes."
        raise ProjectFileError([Problem(f"the value {value!r} is not YAML", f"--set {name}", fix)]) from None


def _text(path: Path) -> str:
    if not path.is_file():
        from tunewright.project.file import way_to_a_project

        fix = way_to_a_project(path.parent)
        raise ProjectFileError([Problem("there is no project file", str(path), fix)])
    data = path.read_bytes()
    if len(data) > LARGEST:
        fix = "Put rows into a file of their own, and name that under sources."
        raise ProjectFileError(
            [Problem(f"the project file is larger than {LARGEST:,} bytes", str(path), fix)]
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectFileError(
            [Problem("the file is not UTF-8", f"{path}:{line}", "Save it as UTF-8.")]
        ) from None


def _yaml() -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="rt", pure=True)


def _load(text: str, where: str) -> Any:
    """What the YAML reader makes of the text, unless its merges would take the reader too long.

    Raises ProjectFileError for those, YAMLError, RecursionError or ValueError for what is not YAML.
    """
    _refuse_merges(text, where)
    try:
        return _yaml().load(StringIO(text))
    except AttributeError:  # the reader's way of saying that a mapping merges itself
        raise ValueError("a merge key (<<) names what cannot be merged there") from None


def _refuse_merges(text: str, where: str) -> None:
    """Raises ProjectFileError where mappings are merged, and aliases are too many for the text's length.

    The scanner tells an alias from an *emphasis* in a prompt, and a merge key from a `<<EOF`. A tag can make a merge key
    of any name.
    """
    from ruamel.yaml.tokens import AliasToken, ScalarToken, TagToken

    if "*" not in text or not ("<<" in text or "!" in text):
        return
    aliases, merges, most = 0, False, _MERGING // len(text)
    for token in _yaml().scan(StringIO(text)):
        aliases += isinstance(token, AliasToken)
        merges |= isinstance(token, TagToken) or (
            isinstance(token, ScalarToken) and token.plain and token.value == "<<"
        )
        if merges and aliases > most:
            allowed = f"a text of {len(text):,} characters may have {most:,} aliases (*name)"
            message = f"with merge keys (<<), {allowed}, and this has more"
            raise ProjectFileError([Problem(message, where, "Write out some of what is merged.")])


def _parse(path: Path, text: str) -> Any:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    fix = "Mend that line or the one before it; text with signs in it stands between quotes."
    try:
        raw = _load(text, str(path))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        what = (error.problem or error.context or "it cannot be parsed").split("\n")[0]
        raise ProjectFileError([Problem(f"this is not valid YAML: {what}", f"{path}{line}", fix)]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        what = str(error).split("\n")[0]
        raise ProjectFileError([Problem(f"this is not valid YAML: {what}", str(path), fix)]) from None
    if not isinstance(raw, dict):
        kind = "empty" if raw is None else "a list, not a mapping" if isinstance(raw, list) else "no mapping"
        raise ProjectFileError(
            [Problem(f"the project file is {kind}", str(path), "It needs at least name, task and sources.")]
        )
    return raw


def _plain(value: Any, where: str) -> Any:
    """The YAML reader's value as plain dicts, lists and scalars, each alias a copy of what it names.

    Raises ProjectFileError where that is more than a file may hold: nine lines of aliases to aliases are 10⁹ values.
    """
    left = LARGEST  # a file without aliases has a byte at least for all that is counted

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise _too_large(where)

    def copied(value: Any) -> Any:
        if isinstance(value, Mapping):
            spend(2)
            return {_spent(str(key), spend): copied(item) for key, item in value.items()}
        if isinstance(value, list):
            spend(2)
            return [copied(item) for item in value]
        if isinstance(value, str):
            return _spent(value, spend)
        spend(1)
        for kind in (bool, int, float):
            if isinstance(value, kind):
                return kind(value)
        return None if value is None else str(value)  # dates, tagged values: as they are written

    try:
        return copied(value)
    except RecursionError:
        fix = "Write what aliases name in fewer layers."
        raise ProjectFileError([Problem("values lie in one another too deeply", where, fix)]) from None


def _spent(text: str, spend: Callable[[int], None]) -> str:
    """The text, paid for before it is copied."""
    spend(len(text))
    return str(text)


def _too_large(where: str) -> ProjectFileError:
    message = f"with its aliases (*name) written out, this is larger than {LARGEST:,} bytes"
    return ProjectFileError([Problem(message, where, "Write what they name once, or leave them out.")])


def _lay_over(values: dict[str, Any], name: str, value: Any) -> None:
    """Set one dotted name; a missing mapping on the way is made, an index reaches into a list."""
    *way, last = name.split(".")
    if not all((*way, last)):
        fix = "Write a field's dotted name: train.adapter.rank, say."
        raise ProjectFileError([Problem(f"{name!r} is no field's name", "--set", fix)])
    node: Any = values
    for part in way:
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict):
            node = node.setdefault(part, {})
        else:
            raise ProjectFileError([Problem(f"{part!r} has no fields to set", f"--set {name}", _SEE)])
    if isinstance(node, list) and last.isdigit() and int(last) < len(node):
        node[int(last)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise ProjectFileError([Problem(f"{last!r} cannot be set there", f"--set {name}", _SEE)])


def _loc(name: str, known: Any) -> list[int | str]:
    """The place that a dotted name means among `known` values; empty where it means none. A schema's parts are its own."""
    loc: list[int | str] = []
    node = known
    for part in name.split("."):
        if isinstance(node, Mapping) and part in node:
            loc.append(part)
            node = node[part]
        elif isinstance(node, list | tuple) and part.isdigit() and int(part) < len(node):
            loc.append(int(part))
            node = node[int(part)]
        elif "schema" in loc:
            loc.append(part)
        else:
            return []
    return loc
