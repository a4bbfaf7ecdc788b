"""OpenAI's fine-tuning job, as the API answers or is asked with it.

A reinforcement job becomes a project that measures with its graders and trains the answers that they compare with, as long
as there is no such method.
"""

import re
from collections.abc import Mapping
from typing import Any

from tunewright.core.errors import UserError
from tunewright.grade.schema import SchemaCheck
from tunewright.project.importing import rules
from tunewright.project.importing.carried import Ledger, shown
from tunewright.project.importing.openai_graders import Graders, graded, read_grader
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
_REINFORCED = "it is reinforcement's, and there is no such method yet"
_TARGET = {"target": {}, "general": {"examples": "general"}}
"""The suites that every project has."""


def read(ledger: Ledger, place: Place) -> None:
    """Lay a fine-tuning job into the ledger.

    Raises UserError for a method that is not known, a reinforcement job whose rows hold no answer that its grader names, or
    where there is no training file.
    """
    config = ledger.config
    answer = _method(ledger, place)
    form = {"name": "openai", "keys": {"answer": answer}} if answer else "openai"
    _training(ledger, place, form)
    _validation(ledger, place, form)
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


def _method(ledger: Ledger, place: Place) -> str:
    """Lay the method; of a reinforcement job the key of a row that holds the answer, else nothing."""
    asked = ledger.config.get("method")
    if isinstance(asked, str):
        asked = {"type": asked}
    if not isinstance(asked, dict | None):
        raise UserError(
            f"method is no object: {shown(asked)}",
            where=str(place.config),
            fix='Write {"type": "supervised"}.',
        )
    kind = str(asked.get("type", "supervised")) if isinstance(asked, dict) else "supervised"
    own = asked.get(kind) if isinstance(asked, dict) else None
    if kind == "reinforcement":
        answer = _reinforcement(ledger, place, own if isinstance(own, dict) else {})
    elif kind in _METHODS:
        answer = ""
        if isinstance(asked, dict):
            ledger.carry("method.type", kind, "train.method", _METHODS[kind])
    else:
        raise UserError(
            f"the method {kind!r} is not among those here",
            where=str(place.config),
            fix="There are supervised, dpo and, to be measured, reinforcement.",
        )
    for key, value in asked.items() if isinstance(asked, dict) else ():
        if key not in ("type", kind):
            ledger.leave(f"method.{key}", value, f"the method is {kind}")
    for place_, holder in (("hyperparameters", ledger.config), (f"method.{kind}.hyperparameters", own)):
        found = holder.get("hyperparameters") if isinstance(holder, dict) else None
        if isinstance(found, dict):
            _hyperparameters(place_, found, kind, ledger)
    return answer


def _reinforcement(ledger: Ledger, place: Place, own: Mapping[str, Any]) -> str:
    """Lay the graders of a reinforcement job; the key of a row that holds the answer. Raises UserError where none does."""
    at = "method.reinforcement"
    found = read_grader(ledger, f"{at}.grader", own.get("grader"))
    if not found.answer:
        raise UserError(
            "there is no method 'reinforcement' here yet, and no grader of the job says which key of a row is the answer",
            where=str(place.config),
            fix=f"Import a job that is supervised or dpo.{graded(own.get('grader'))}",
        )
    measure = "its graders measure" if found.graders else "the usual graders measure, for want of its own"
    why = f"there is no reinforcement (grpo) yet: the rows' {found.answer!r} is trained, and {measure}"
    ledger.carry("method.type", "reinforcement", "train.method", "sft", why)
    suites = {**_TARGET, "target": {"graders": found.graders}}
    if found.graders and (refused := ledger.lay("suites", suites)):
        ledger.leave(f"{at}.grader", own.get("grader"), refused)
    for key, value in own.items():
        if key == "response_format":
            _response_format(f"{at}.{key}", value, found, ledger)
        elif key not in ("grader", "hyperparameters"):
            ledger.leave(f"{at}.{key}", value, f"unknown: {_REINFORCED}")
    return found.answer


def _response_format(at: str, value: Any, found: Graders, ledger: Ledger) -> None:
    """The schema of JSON answers is the task's, where the rows' answers are such objects."""
    inner = value.get("json_schema") if isinstance(value, dict) else None
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if not isinstance(schema, dict):
        ledger.leave(at, value, "it names no JSON Schema")
    elif not found.compares_fields:
        ledger.leave(
            at, value, "task.output would hold the rows' answers to the schema, too, and they are texts"
        )
    else:
        try:
            SchemaCheck(schema)
        except UserError as error:
            ledger.leave(at, value, f"task.output does not take it: {error.message}")
            return
        why = "replies are checked by it; decoding.constrained holds them to it while they are written"
        ledger.carry(at, value, "task.output", {"type": "json", "schema": schema}, why)


def _hyperparameters(place: str, values: Mapping[str, Any], method: str, ledger: Ledger) -> None:
    for key, value in values.items():
        at = f"{place}.{key}"
        if method == "reinforcement":
            ledger.leave(at, value, _REINFORCED)
        elif value == "auto" or value is None:
            ledger.tell(at, value, "carried", "always so", "what is left out is chosen from the rows")
        elif key == "n_epochs":
            rules.epochs(ledger, at, value)
        elif key == "beta" and method == "dpo":
            ledger.carry(at, value, "train.dpo.beta", rules.number(value))
        else:
            ledger.leave(at, value, _LEFT.get(key, "unknown: no hyperparameter that is known here"))


def _training(ledger: Ledger, place: Place, form: Any) -> None:
    name = ledger.config.get("training_file")
    if not isinstance(name, str) or not name:
        raise UserError(
            "the job names no training_file", where=str(place.config), fix="Set it to the file's path."
        )
    data = _found(name, place)
    source, note = checked(data, {"form": form})
    ledger.values["sources"] = {"training": source}
    ledger.tell("training_file", name, "changed" if data.note else "carried", "sources.training.path", note)


def _validation(ledger: Ledger, place: Place, form: Any) -> None:
    """The rows that the job is measured on, as a suite beside those that every project has."""
    name = ledger.config.get("validation_file")
    if not isinstance(name, str) or not name:
        return
    data, said = _found(name, place), {"form": form}
    path = str(data.source["path"])
    suites = ledger.get("suites") or _TARGET
    suite = {"examples": path, "form": form, **suites["target"]}
    written = (
        form if isinstance(form, str) else f"{{name: openai, keys: {{answer: {form['keys']['answer']}}}}}"
    )
    shown = f"suites: {{validation: {{examples: {path}, form: {written}}}}}"
    if data.file is None:
        ledger.leave("validation_file", name, f"{data.note}; then give them as a suite: {shown}")
    elif data.file.suffix.lower() != ".jsonl":
        ledger.leave("validation_file", name, f"save it as JSONL, and give it as a suite: {shown}")
    else:
        why = f"its rows are a suite, and judge the result; {checked(data, said).note}"
        ledger.carry("validation_file", name, "suites", {**suites, "validation": suite}, why)


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
