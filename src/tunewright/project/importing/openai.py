"""OpenAI's fine-tuning job, as the API answers or is asked with it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tunewright.core.errors import UserError
from tunewright.data.names import listed
from tunewright.project.importing import rules
from tunewright.project.importing.carried import Ledger, shown
from tunewright.project.importing.place import Data, Place, find_data
from tunewright.project.importing.trial import checked
from tunewright.project.init import project_name

TOOL = "OpenAI's fine-tuning"
_METHODS = {"supervised": "sft", "dpo": "dpo"}
_LEFT = {
    "batch_size": "a step's rows are counted in tokens: train.batch_tokens, left out, is chosen from them",
    "learning_rate_multiplier": "it multiplies a rate that is not told; train.learning_rate, left out, is chosen",
}
_FILE_ID = re.compile(r"file-[A-Za-z0-9]+")
_ITEM = re.compile(r"""\bitem(?:\.get\(\s*\\?["']|\[\s*\\?["']|\.(?!get\())([A-Za-z_]\w*)""")
"""How a grader names a key of a row, in a template or in Python, written as JSON."""


def read(ledger: Ledger, place: Place) -> None:
    """Lay a fine-tuning job into the ledger. Raises UserError for reinforcement, or where there is no training file."""
    config = ledger.config
    _method(ledger, place)
    _training(ledger, place)
    _validation(ledger, place)
    model = config.get("model")
    ledger.tell("model", model, "changed", "base", "its weights are not to be had: choose an open model")
    suffix = config.get("suffix") or config.get("user_provided_suffix")
    for key in ("suffix", "user_provided_suffix"):
        if config.get(key):
            ledger.carry(key, config[key], "name", project_name(str(suffix)))
    integrations = config.get("integrations")
    for at, entry in enumerate(integrations if isinstance(integrations, list) else []):
        kind = entry.get("type") if isinstance(entry, dict) else entry
        rules.sink("wandb")(ledger, f"integrations[{at}]", entry) if kind == "wandb" else ledger.leave(
            f"integrations[{at}]", entry, "there is no such tracker; train.sinks has them"
        )
    rules.apply(ledger, RULES, WITHOUT, TOOL)


def _method(ledger: Ledger, place: Place) -> None:
    asked = ledger.config.get("method")
    kind = asked.get("type", "supervised") if isinstance(asked, dict) else "supervised"
    if kind not in _METHODS:
        raise UserError(
            f"the method {kind!r} is not among those here",
            where=str(place.config),
            fix=f"There are supervised and dpo.{_graded(asked, str(kind))}",
        )
    method = _METHODS[kind]
    if isinstance(asked, dict):
        ledger.carry("method.type", kind, "train.method", method)
        for key, value in asked.items():
            if key not in ("type", kind):
                ledger.leave(f"method.{key}", value, f"the method is {kind}")
    own = asked.get(kind) if isinstance(asked, dict) else None
    for place_, holder in (("hyperparameters", ledger.config), (f"method.{kind}.hyperparameters", own)):
        found = holder.get("hyperparameters") if isinstance(holder, dict) else None
        if isinstance(found, dict):
            _hyperparameters(place_, found, method, ledger)


def _hyperparameters(place: str, values: Mapping[str, Any], method: str, ledger: Ledger) -> None:
    for key, value in values.items():
        at = f"{place}.{key}"
        if value == "auto" or value is None:
            ledger.tell(at, value, "carried", "always so", "what is left out is chosen from the rows")
        elif key == "n_epochs":
            rules.epochs(ledger, at, value)
        elif key == "beta" and method == "dpo":
            ledger.carry(at, value, "train.dpo.beta", rules.number(value))
        else:
            ledger.leave(at, value, _LEFT.get(key, "unknown: no hyperparameter that is known here"))


def _graded(method: Any, kind: str) -> str:
    """What a refused job's rows hold for its grader, and what they can be here; empty where there is no grader."""
    own = method.get(kind) if isinstance(method, dict) else None
    grader = own.get("grader") if isinstance(own, dict) else None
    if not isinstance(grader, dict):
        return ""
    keys = list(dict.fromkeys(_ITEM.findall(json.dumps(grader))))
    said = f" Its rows are graded by {shown(grader.get('type'))}"
    if not keys:
        return f"{said}, which names none of their keys."
    form = f"form: {{name: openai, keys: {{answer: {keys[0]}}}}}"
    return (
        f"{said}, which reads {listed(keys)} of a row: as a source with {form}, that is the answer for sft."
    )


def _training(ledger: Ledger, place: Place) -> None:
    name = ledger.config.get("training_file")
    if not isinstance(name, str) or not name:
        raise UserError(
            "the job names no training_file", where=str(place.config), fix="Set it to the file's path."
        )
    data = _found(name, place)
    source, note = checked(data, "openai")
    ledger.values["sources"] = {"training": source}
    ledger.tell("training_file", name, "changed" if data.note else "carried", "sources.training.path", note)


def _validation(ledger: Ledger, place: Place) -> None:
    """The rows that the job is measured on, as a suite beside those that every project has."""
    name = ledger.config.get("validation_file")
    if not isinstance(name, str) or not name:
        return
    data = _found(name, place)
    path = str(data.source["path"])
    suite = f"suites: {{validation: {{examples: {path}}}}}"
    if data.file is None:
        ledger.leave("validation_file", name, f"{data.note}; then give them as a suite: {suite}")
    elif data.file.suffix.lower() != ".jsonl":
        ledger.leave("validation_file", name, f"save it as JSONL, and give it as a suite: {suite}")
    else:
        suites = {"target": {}, "general": {"examples": "general"}, "validation": {"examples": path}}
        ledger.carry("validation_file", name, "suites", suites, "its rows are a suite, and judge the result")


def _found(name: str, place: Place) -> Data:
    """A file of the job: here, or with OpenAI, who give it out by its id."""
    if not _FILE_ID.fullmatch(name):
        return find_data(name, place)
    path = f"data/{name}.jsonl"
    asked = f'client.files.content("{name}").write_to_file("{path}")'
    return Data({"path": path}, f"the file lies with OpenAI: save it as {path}, with {asked}", None)


RULES: dict[str, rules.Rule] = {"seed": rules.plain("train.seed", rules.whole)}
WITHOUT: dict[str, str] = {
    "it names no file": "validation_file",
    "it tells of the job that ran there": (
        "id object created_at finished_at estimated_finish fine_tuned_model organization_id status "
        "result_files trained_tokens error usage_metrics shared_with_openai hyperparameters method "
        "integrations"
    ),
    "a project has no such notes": "metadata",
}
"""Why → the keys that go nowhere for that reason, parted by blanks; `*` stands for any letters."""
