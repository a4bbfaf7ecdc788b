"""Reading a config: YAML or JSON, bounded in size and nesting, and which tool it is of."""

import json
import warnings
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from tunewright.core.errors import UserError

Tool = Literal["axolotl", "llamafactory", "openai"]
LARGEST = 1_000_000
"""Bytes that a config may have."""
MOST_VALUES = 100_000
"""Values that a config may have: YAML's references multiply them."""
DEEPEST = 40
_TELLING: dict[Tool, tuple[str, ...]] = {
    "axolotl": ("base_model",),
    "llamafactory": ("model_name_or_path", "finetuning_type", "train_dataset"),
    "openai": ("training_file",),
}
"""Keys by which a tool's config is told."""


def read_mapping(path: Path) -> dict[str, Any]:
    """The config's keys and values, plain. Raises UserError where the file cannot be read as a mapping."""
    if not path.is_file():
        raise UserError(
            "there is no such file", where=str(path), fix="Name a config as it is seen from here."
        )
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UserError(f"the config is larger than {LARGEST:,} bytes", where=str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError("the file is not UTF-8", where=f"{path}:{line}", fix="Save it as UTF-8.") from None
    raw = _json(text, path) if path.suffix.lower() == ".json" else _yaml(text, path)
    if not isinstance(raw, Mapping):
        raise UserError(
            "the file holds no mapping of keys", where=str(path), fix="Name the config of a training run."
        )
    found = _Plain(path).of(raw, 0)
    return dict(found)


def tool_of(config: Mapping[str, Any], path: Path) -> Tool:
    """Which tool a config is of. Raises UserError where none or more than one knows its keys."""
    found = [tool for tool, keys in _TELLING.items() if any(config.get(key) for key in keys)]
    if len(found) == 1:
        return found[0]
    if not found and config.get("model") and any(key in config for key in ("method", "hyperparameters")):
        return "openai"
    what = " and ".join(found) if found else "no tool that is known here"
    raise UserError(
        f"the keys are those of {what}",
        where=str(path),
        fix="Name the config of a training run; --from axolotl, llamafactory or openai says whose it is.",
    )


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"this is not valid JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"this is not valid JSON: {error}", where=str(path)) from None


def _yaml(text: str, path: Path) -> Any:
    """YAML 1.1, as these tools read it: yes and off are true and false."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 2e-5 is text in YAML 1.1; a rule makes it a number
            return reader.load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        what = (error.problem or error.context or "it cannot be parsed").split("\n")[0]
        raise UserError(f"this is not valid YAML: {what}", where=f"{path}{line}") from None
    except (YAMLError, RecursionError, ValueError, TypeError) as error:
        what = str(error).split("\n")[0]
        raise UserError(f"this is not valid YAML: {what}", where=str(path)) from None


class _Plain:
    """Copies a value as plain dicts, lists and scalars, and counts them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def of(self, value: Any, depth: int) -> Any:
        """The value, plain. Raises UserError where it is too much."""
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            raise UserError(
                f"the config has more than {MOST_VALUES:,} values, or nests more than {DEEPEST} deep",
                where=str(self._path),
            )
        if isinstance(value, Mapping):
            return {str(key): self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.of(item, depth + 1) for item in value]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        return str(value)  # dates and the like
