"""LLaMA-Factory's version 1: `model`, `train_dataset`, and plugins with settings of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.core.errors import UserError
from tunewright.project.importing import rules
from tunewright.project.importing.carried import SAYS_NOTHING, Ledger
from tunewright.project.importing.laying import Draws, lay_parts, lay_samples, part_draws, tell_part
from tunewright.project.importing.part import Part, parts_of
from tunewright.project.importing.place import Data, Place, by_hand, find_base, find_data
from tunewright.project.importing.reading import read_mapping
from tunewright.project.importing.rules import number, plain, whole
from tunewright.project.importing.trial import written_form

TOOL = "LLaMA-Factory's version 1"
_FORMS: dict[str, dict[str, Any]] = {
    "alpaca": {"name": "alpaca", "formats": {"user": "{instruction}{input}"}},
    "sharegpt": {"name": "sharegpt"},
    "openai": {"name": "openai"},
    "pair": {"name": "dpo.argilla_chat"},
    "": {"name": "llamafactory.v1"},
}
"""Converter → the form of its rows; without one they are in the tool's own."""
_ELSEWHERE = {"ms_hub": "on ModelScope", "om_hub": "on openMind's hub", "cloud_file": "in a cloud's storage"}
_LEFT = {
    "size": "a recipe can sample all rows",
    "weight": "a recipe can sample all rows",
    "streaming": rules.LOADING,
}
_DEFAULTS: dict[str, tuple[Any, str]] = {
    "cutoff_len": (2048, "train.max_length"),
    "learning_rate": (1e-4, "train.learning_rate"),
    "num_train_epochs": (3, "train.epochs"),
    "seed": (42, "train.seed"),
}
_OF_LORA: dict[str, tuple[Any, str]] = {
    "r": (8, "train.adapter.rank"),
    "lora_alpha": (16, "train.adapter.alpha"),
    "lora_dropout": (0.05, "train.adapter.dropout"),
}
"""What its lora takes for a key that is left out, where this project file would take something else."""


def read_v1(ledger: Ledger, place: Place) -> None:
    """Lay a config of version 1 into the ledger. Raises UserError where it names no data set."""
    config = ledger.config
    ledger.carry("model", config["model"], "base", find_base(str(config["model"]), place))
    _adapter(ledger)
    draws = _datasets(ledger, place)
    rules.apply(ledger, RULES, WITHOUT, TOOL)
    lay_samples(ledger, draws)
    for key, (value, field) in _DEFAULTS.items():
        if config.get(key) is None and not (key == "num_train_epochs" and config.get("max_steps")):
            ledger.carry(f"{key} (left out)", value, field, value)


def _adapter(ledger: Ledger) -> None:
    """The adapter and the base's bits; without an adapter all weights are trained."""
    peft, quant = ledger.config.get("peft_config"), ledger.config.get("quant_config")
    if not isinstance(peft, dict) or not peft:
        ledger.lay("train.adapter.kind", "full")
        ledger.tell("peft_config", peft, "carried", "train.adapter.kind", "all weights are trained")
    else:
        _of_peft(peft, ledger)
    if not isinstance(quant, dict) or not quant:
        return
    for key, value in quant.items():
        four = key == "quantization_bit" and whole(value) == 4 and ledger.get("train.adapter.kind") == "lora"
        if four:
            ledger.carry("quant_config.quantization_bit", value, "train.adapter.kind", "qlora")
        else:
            ledger.leave(f"quant_config.{key}", value, "qlora is done by bitsandbytes in NF4")


def _of_peft(peft: Mapping[str, Any], ledger: Ledger) -> None:
    known: dict[str, rules.Rule] = {
        "r": plain("train.adapter.rank", whole),
        "lora_alpha": plain("train.adapter.alpha"),
        "lora_dropout": plain("train.adapter.dropout"),
        "use_rslora": rules.flag("train.adapter.rslora"),
        "use_dora": rules.flag("train.adapter.dora"),
    }
    for key, value in peft.items():
        at = f"peft_config.{key}"
        if value is None:
            ledger.leave(at, value, SAYS_NOTHING)
        elif key == "name":
            why = "" if value == "lora" else "there is lora and its kin"
            ledger.carry(at, value, "train.adapter.kind", "lora", why)
        elif key == "target_modules":
            ledger.carry(at, value, "train.adapter.targets", "all-linear" if value == "all" else value)
        elif key in known:
            known[key](ledger, at, value)
        else:
            ledger.leave(at, value, "an adapter has no such setting here")
    for key, (value, field) in _OF_LORA.items():
        if key not in peft and peft.get("name") == "lora":
            ledger.carry(f"peft_config.{key} (left out)", value, field, value)


def _datasets(ledger: Ledger, place: Place) -> Draws:
    """Lay the data sets in as sources; of which of them a sample is meant."""
    asked = ledger.config.get("train_dataset")
    if not isinstance(asked, str) or not asked:
        raise UserError(
            "the config names no train_dataset", where=str(place.config), fix="Set it, for training."
        )
    if not asked.endswith((".yaml", ".yml")):
        entries: Mapping[str, Any] = {"rows": {"path": asked}}
    else:
        file = next((path for root in place.roots if (path := root / asked).is_file()), None)
        entries = read_mapping(file) if file else {}
    sources: dict[str, Any] = {}
    draws: Draws = {}
    for name, entry in entries.items():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
            draws |= _source(str(name), entry, ledger, place, sources)
        else:
            ledger.leave(f"train_dataset[{name}]", entry, "it names no path")
    if not sources:
        data = by_hand(Path(asked).stem)
        sources["rows"] = data.source
        why = f"the file is not there: put it there and import again, or set form for the source and {data.note}"
        ledger.tell("train_dataset", asked, "changed", "sources.rows.path", why)
    else:
        ledger.tell("train_dataset", asked, "carried", "sources", "")
    ledger.values["sources"] = sources
    if any(source.get("form") == "dpo.argilla_chat" for source in sources.values()):
        ledger.lay("train.method", "dpo")
    return draws


def _source(
    name: str, entry: Mapping[str, Any], ledger: Ledger, place: Place, sources: dict[str, Any]
) -> Draws:
    """One data set as a source, or several where its split adds some up; and the samples that its slices are."""
    at, path = f"train_dataset[{name}]", str(entry["path"])
    converter = str(entry.get("converter") or "")
    form = written_form(_FORMS[converter]) if converter in _FORMS else None
    if form is None:
        ledger.leave(f"{at}.converter", converter, "no form is called so; set form for the source")
    else:
        ledger.tell(f"{at}.converter", converter or None, "carried", f"form {_FORMS[converter]['name']}", "")
    parts = parts_of(None, entry.get("split"), None)
    said = {} if form is None else {"form": form}
    laid = lay_parts(parts, lambda part: _data(path, entry, place, part), said, name, sources)
    for one in laid:
        ledger.tell(f"{at}.path", path, one.fate, f"sources.{one.name}.path", one.note)
    draws = part_draws(parts, laid)
    tell_part(ledger, at, {"split": "split"}, entry, laid[0], bool(draws))
    for key, value in entry.items():
        if key == "source":
            ledger.tell(f"{at}.source", value, "carried", f"sources.{laid[0].name}.path", "")
        elif key not in ("path", "converter", "split"):
            why = _LEFT.get(key, "unknown: no key of a data set that is known here")
            ledger.leave(f"{at}.{key}", value, why)
    return draws


def _data(path: str, entry: Mapping[str, Any], place: Place, part: Part) -> Data:
    """Where an entry says that its rows lie, and what comes of it."""
    if (elsewhere := str(entry.get("source") or "")) not in _ELSEWHERE:
        return find_data(path, place, part)
    data = by_hand(path)
    return data._replace(note=f"it lies {_ELSEWHERE[elsewhere]}: {data.note}")


def _beta(ledger: Ledger, key: str, value: Any) -> None:
    if ledger.get("train.method") == "dpo":
        ledger.carry(key, value, "train.dpo.beta", number(value))
    else:
        ledger.leave(key, value, "sft has no reference to stay near")


def _loss(ledger: Ledger, key: str, value: Any) -> None:
    if ledger.get("train.method") != "dpo":
        ledger.leave(key, value, "sft has no such loss")
    elif value == "orpo":
        ledger.carry(key, value, "train.method", "orpo")
    else:
        ledger.carry(key, value, "train.dpo.loss", value)


RULES: dict[str, rules.Rule] = {
    "cutoff_len": plain(
        "train.max_length", whole, "a longer row is not cut, but stops the gate: see train.over_long"
    ),
    "learning_rate": plain("train.learning_rate"),
    "num_train_epochs": rules.epochs,
    "max_grad_norm": plain("train.clip"),
    "bf16": rules.precision,
    "seed": plain("train.seed", whole),
    "enable_activation_checkpointing": rules.flag("train.gradient_checkpointing"),
    "save_total_limit": plain("train.keep", whole, "adapters of so many last looks at dev"),
    "pref_loss": _loss,
    "pref_beta": _beta,
    "pref_ftx": plain("train.dpo.nll"),
    "simpo_gamma": plain("train.dpo.margin"),
    "max_new_tokens": plain("decoding.max_new_tokens", whole),
    "trust_remote_code": rules.always(False, rules.NO_CODE),
    "max_steps": rules.leave("a run is as long as its epochs: set train.epochs"),
    "eval_dataset": rules.leave(
        "give these rows as a suite: suites: {name: {examples: rows.jsonl, form: …}}"
    ),
}
_BATCH = "a step's rows are counted in tokens: train.batch_tokens, left out, is chosen from them"
WITHOUT: dict[str, str] = {
    rules.ONE_DEVICE: "dist_config dist_timeout dp_size cp_size cp_mode mp_replicate_size mp_shard_size",
    rules.KERNELS: "kernel_config flash_attn full_determinism",
    rules.BASE_SAYS: "model_class init_config custom_chat_template",
    rules.HOUSE: "output_dir save_ckpt_as_hf",
    rules.RESUMES: "resume_from_checkpoint save_steps save_epochs",
    rules.EVENTS: "logging_steps",
    _BATCH: "micro_batch_size global_batch_size",
    "rows are packed, and none sees another": "batching_strategy batching_workers",
    "one rate for all weights, by AdamW; train.schedule is the cosine": "optim_config lr_scheduler_config",
    "the losses are TRL's, without this weight": "dpo_label_smoothing ld_alpha",
    "answers are drawn by decoding's own settings": "sample_backend",
    rules.NO_MEDIA: "freeze_*",
}
