"""LLaMA-Factory's YAML or JSON of arguments: its keys, and where they go. The data sets are in dataset_info.json."""

from typing import Any

from tunewright.core.errors import UserError
from tunewright.project.importing import rules
from tunewright.project.importing.carried import Ledger
from tunewright.project.importing.laying import lay_samples
from tunewright.project.importing.llamafactory_data import read_datasets
from tunewright.project.importing.llamafactory_left import WITHOUT
from tunewright.project.importing.llamafactory_v1 import read_v1
from tunewright.project.importing.place import Place, find_base
from tunewright.project.importing.rules import flag, leave, number, plain, whole

TOOL = "LLaMA-Factory"
_METHODS = {"sft": "sft", "pt": "cpt", "dpo": "dpo", "kto": "kto"}
_LOSSES = {"sigmoid": "sigmoid", "hinge": "hinge", "ipo": "ipo", "simpo": "simpo"}
_DEFAULTS: dict[str, tuple[Any, str]] = {
    "cutoff_len": (2048, "train.max_length"),
    "learning_rate": (5e-5, "train.learning_rate"),
    "num_train_epochs": (3, "train.epochs"),
    "lr_scheduler_type": ("linear", "train.schedule"),
    "lora_rank": (8, "train.adapter.rank"),
    "warmup_ratio": (0.0, "train.warmup"),
    "seed": (42, "train.seed"),
}
"""What it takes for a key that is left out, where this project file would take something else."""
_OLD = ("model_name_or_path", "dataset", "stage", "finetuning_type")


def read(ledger: Ledger, place: Place) -> None:
    """Lay a LLaMA-Factory config into the ledger. Raises UserError for a stage that there is not, or no data set."""
    if "model" in ledger.config and not any(key in ledger.config for key in _OLD):
        read_v1(ledger, place)
        return
    config = ledger.config
    base = config.get("model_name_or_path")
    if not base:
        raise UserError("the config names no model", where=str(place.config), fix="Set model_name_or_path.")
    ledger.carry("model_name_or_path", base, "base", find_base(str(base), place))
    _method(ledger, place)
    _adapter(ledger)
    draws = read_datasets(ledger, place)
    _batch(ledger)
    rules.apply(ledger, RULES, WITHOUT, TOOL)
    lay_samples(ledger, draws)
    _defaults(ledger)


def _method(ledger: Ledger, place: Place) -> None:
    stage = ledger.config.get("stage", "sft")
    method = _METHODS.get(str(stage))
    if method is None:
        raise UserError(
            f"stage: {stage} is not among the methods here",
            where=str(place.config),
            fix="There are sft, pt, dpo and kto.",
        )
    loss = ledger.config.get("pref_loss", "sigmoid")
    if stage == "dpo" and loss == "orpo":
        method = "orpo"
    if "stage" in ledger.config:
        ledger.carry("stage", stage, "train.method", method)
    if "pref_loss" not in ledger.config:
        return
    if method == "orpo":
        ledger.tell("pref_loss", loss, "carried", "train.method", "")
    elif method == "dpo" and str(loss) in _LOSSES:
        ledger.carry("pref_loss", loss, "train.dpo.loss", _LOSSES[str(loss)])
    else:
        ledger.leave("pref_loss", loss, f"{method} has no such loss")


def _adapter(ledger: Ledger) -> None:
    config = ledger.config
    asked = config.get("finetuning_type", "lora")
    kind, why = {"lora": ("lora", ""), "full": ("full", "")}.get(
        str(asked), ("lora", "there is lora and its kin, or all weights")
    )
    bits = whole(config.get("quantization_bit"))
    if "finetuning_type" in config:
        ledger.carry("finetuning_type", asked, "train.adapter.kind", kind, why)
    if bits == 4 and kind == "lora":
        ledger.carry("quantization_bit", bits, "train.adapter.kind", "qlora")
    elif config.get("quantization_bit") is not None:
        ledger.leave(
            "quantization_bit", config["quantization_bit"], "the base is in 16 or 32 bits, or four with qlora"
        )
    if "pissa_init" in config:
        there = ledger.get("train.adapter.kind") or "lora"
        if config["pissa_init"] and there == "lora":
            ledger.carry("pissa_init", config["pissa_init"], "train.adapter.kind", "pissa")
        elif config["pissa_init"]:
            ledger.leave(
                "pissa_init", config["pissa_init"], f"an adapter is of one kind, and this one is {there}"
            )
        else:
            ledger.tell("pissa_init", config["pissa_init"], "carried", "train.adapter.kind", "")


def _batch(ledger: Ledger) -> None:
    """Rows in a step are counted in tokens here: known where rows are packed to a length."""
    config = ledger.config
    micro = whole(config.get("per_device_train_batch_size", 8))
    steps, length = (
        whole(config.get("gradient_accumulation_steps") or 1),
        whole(config.get("cutoff_len", 2048)),
    )
    stage = config.get("stage", "sft")
    packed = (stage == "pt" and config.get("packing") is not False) or (
        stage == "sft" and (config.get("packing") or config.get("neat_packing"))
    )
    for key in ("per_device_train_batch_size", "gradient_accumulation_steps"):
        if config.get(key) is None:
            continue
        if packed and micro and steps and length:
            why = "per_device_train_batch_size × gradient_accumulation_steps rows of cutoff_len tokens, on one device"
            ledger.carry(key, config[key], "train.batch_tokens", micro * steps * length, why)
        else:
            ledger.leave(
                key,
                config[key],
                "a step's rows are counted in tokens: train.batch_tokens, left out, is chosen from them",
            )


def _defaults(ledger: Ledger) -> None:
    full = ledger.get("train.adapter.kind") == "full"
    for key, (value, field) in _DEFAULTS.items():
        told = ledger.config.get(key) is not None or (
            key == "num_train_epochs" and ledger.config.get("max_steps")
        )
        told = told or (key == "warmup_ratio" and ledger.config.get("warmup_steps") is not None)
        if not told and not (full and key == "lora_rank"):
            ledger.carry(f"{key} (left out)", value, field, value)
    if ledger.config.get("disable_gradient_checkpointing") is None:
        ledger.carry("disable_gradient_checkpointing (left out)", False, "train.gradient_checkpointing", True)
    if ledger.config.get("stage") == "pt" and ledger.config.get("packing") is None:
        ledger.tell("packing (left out)", True, "changed", "always so", _BLOCKS)


def _checkpointing(ledger: Ledger, key: str, value: Any) -> None:
    ledger.carry(key, value, "train.gradient_checkpointing", not value)


def _targets(ledger: Ledger, key: str, value: Any) -> None:
    names = [name.strip() for name in str(value).split(",")] if isinstance(value, str) else value
    if names == ["all"]:
        ledger.carry(key, value, "train.adapter.targets", "all-linear")
    else:
        ledger.carry(key, value, "train.adapter.targets", names)


def _beta(ledger: Ledger, key: str, value: Any) -> None:
    method = ledger.get("train.method")
    field = {"dpo": "train.dpo.beta", "kto": "train.kto.beta", "orpo": "train.orpo.weight"}.get(method)
    if field:
        ledger.carry(key, value, field, number(value))
    else:
        ledger.leave(key, value, "the method has no reference to stay near")


def _samples(ledger: Ledger, key: str, value: Any) -> None:
    rows = whole(value)
    sets = len(ledger.values["sources"])
    if rows and rows > 0:
        recipe = [
            *(ledger.get("recipe") or [{"op": "drop_duplicates"}]),
            {"op": "sample", "rows": rows * sets},
        ]
        why = (
            "a seeded sample, not the first rows"
            if sets == 1
            else "a sample of all rows, not the first of each set"
        )
        ledger.carry(key, value, "recipe", recipe, why)
    else:
        ledger.leave(key, value, "it is no number of rows")


def _trackers(ledger: Ledger, key: str, value: Any) -> None:
    names = [str(name) for name in (value if isinstance(value, list) else [value])]
    known = {"wandb", "tensorboard", "mlflow", "trackio"}
    if names in (["none"], ["None"]):
        ledger.tell(key, value, "carried", "train.sinks", "")
    elif set(names) <= known:
        ledger.carry(key, value, "train.sinks", names)
    else:
        laid = [name for name in names if name in known]
        ledger.carry(key, value, "train.sinks", laid, f"there are {', '.join(sorted(known))}")


_apart = rules.always(
    True, "rows are packed, and none sees another", "rows are packed all the same; none sees another"
)


_BLOCKS = "rows of one sequence see each other there: here rows are packed, and none sees another"


def _packing(ledger: Ledger, key: str, value: Any) -> None:
    """The rows of one sequence attend to each other there, unless `neat_packing` is set for them; pairs are never packed."""
    stage = ledger.config.get("stage", "sft")
    if value is not True or (stage == "sft" and ledger.config.get("neat_packing")):
        _apart(ledger, key, value)
    elif stage in ("sft", "pt"):
        ledger.tell(key, value, "changed", "always so", _BLOCKS)
    else:
        why = f"rows of the stage {stage} are not packed there: here they are, and none sees another"
        ledger.tell(key, value, "changed", "always so", why)


def _eval_steps(ledger: Ledger, key: str, value: Any) -> None:
    steps = whole(value)
    if steps:
        ledger.carry(key, value, "train.dev_every", steps)
    else:
        ledger.leave(key, value, "dev is looked at every so many steps, by default four times an epoch")


def _system(ledger: Ledger, key: str, value: Any) -> None:
    ledger.carry(key, value, "task.system", str(value))


def _words(ledger: Ledger, key: str, value: Any) -> None:
    words = [word.strip() for word in value.split(",")] if isinstance(value, str) else value
    ledger.carry(
        key, value, "train.adapter.new_words", words, "each word's embedding is trained with the adapter"
    )


def _length(ledger: Ledger, key: str, value: Any) -> None:
    ledger.carry(
        key,
        value,
        "train.max_length",
        whole(value),
        "a longer row is not cut, but stops the gate: see train.over_long",
    )


RULES: dict[str, rules.Rule] = {
    "lora_rank": plain("train.adapter.rank", whole),
    "lora_alpha": plain("train.adapter.alpha"),
    "lora_dropout": plain("train.adapter.dropout"),
    "lora_target": _targets,
    "loraplus_lr_ratio": plain("train.adapter.b_rate"),
    "use_rslora": flag("train.adapter.rslora"),
    "use_dora": flag("train.adapter.dora"),
    "add_tokens": _words,
    "pref_beta": _beta,
    "pref_ftx": plain("train.dpo.nll"),
    "simpo_gamma": plain("train.dpo.margin"),
    "kto_chosen_weight": plain("train.kto.desirable_weight"),
    "kto_rejected_weight": plain("train.kto.undesirable_weight"),
    "cutoff_len": _length,
    "max_samples": _samples,
    "default_system": _system,
    "learning_rate": plain("train.learning_rate"),
    "num_train_epochs": rules.epochs,
    "lr_scheduler_type": rules.schedule,
    "warmup_ratio": plain("train.warmup"),
    "warmup_steps": rules.warmup_steps("max_steps"),
    "optim": rules.optimizer,
    "weight_decay": plain("train.weight_decay"),
    "max_grad_norm": plain("train.clip"),
    "neftune_noise_alpha": plain("train.neftune"),
    "seed": plain("train.seed", whole),
    "bf16": rules.precision,
    "pure_bf16": rules.precision,
    "fp16": rules.fp16,
    "val_size": rules.held_out,
    "eval_steps": _eval_steps,
    "early_stopping_steps": plain("train.patience", whole),
    "save_total_limit": plain("train.keep", whole, "adapters of so many last looks at dev"),
    "disable_gradient_checkpointing": _checkpointing,
    "gradient_checkpointing": flag("train.gradient_checkpointing"),
    "torch_compile": flag("train.compile"),
    "report_to": _trackers,
    "max_new_tokens": plain("decoding.max_new_tokens", whole),
    "temperature": plain("decoding.temperature"),
    "top_p": plain("decoding.top_p"),
    "packing": _packing,
    "neat_packing": _apart,
    "train_on_prompt": rules.always(
        False, "questions are read, answers are trained", "questions are not trained"
    ),
    "do_train": rules.always(True, "an import is for training", "an import is for training"),
    "trust_remote_code": rules.always(False, rules.NO_CODE),
    "load_best_model_at_end": rules.always(True, "the best weights by dev are kept"),
    "disable_shuffling": rules.always(False, "rows come in a seeded random order"),
    "max_steps": leave("a run is as long as its epochs: set train.epochs"),
    "eval_dataset": leave("give these rows as a suite: suites: {name: {examples: rows.jsonl, form: …}}"),
}
