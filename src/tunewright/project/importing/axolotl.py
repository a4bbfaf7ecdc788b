"""Axolotl's YAML: its keys, and where they go."""

from typing import Any

from tunewright.core.errors import UserError
from tunewright.project.importing import rules
from tunewright.project.importing.axolotl_data import read_datasets
from tunewright.project.importing.axolotl_left import WITHOUT
from tunewright.project.importing.carried import Ledger
from tunewright.project.importing.laying import lay_samples
from tunewright.project.importing.place import Place, find_base
from tunewright.project.importing.rules import flag, leave, number, plain, whole

TOOL = "Axolotl"
_METHODS = {"dpo": "dpo", "ipo": "dpo", "simpo": "dpo", "orpo": "orpo", "kto": "kto"}
_UNMET = {
    "reward_model": "a reward model",
    "process_reward_model": "a process reward model",
    "diffusion": "a diffusion model",
}
_LONG = {"drop": "drop", "truncate": "cut", "raise": "fail"}


def read(ledger: Ledger, place: Place) -> None:
    """Lay an Axolotl config into the ledger. Raises UserError for a method that there is not, or no usable data."""
    config = ledger.config
    for key, what in _UNMET.items():
        if config.get(key):
            raise UserError(
                f"{key} trains {what}, and that is not among the methods here",
                where=str(place.config),
                fix="There are sft, cpt, dpo, orpo and kto.",
            )
    base = config.get("base_model")
    if not base:
        raise UserError("the config names no model", where=str(place.config), fix="Set base_model.")
    ledger.carry("base_model", base, "base", find_base(str(base), place))
    _method(ledger, place)
    _adapter(ledger)
    draws = read_datasets(ledger, place)
    _batch(ledger)
    rules.apply(ledger, RULES, WITHOUT, TOOL)
    lay_samples(ledger, draws)
    _defaults(ledger)


def _method(ledger: Ledger, place: Place) -> None:
    asked = ledger.config.get("rl")
    if not asked:
        return
    method = _METHODS.get(str(asked))
    if method is None:
        raise UserError(
            f"rl: {asked} is not among the methods here",
            where=str(place.config),
            fix="There are dpo, ipo, simpo, orpo and kto, and sft without rl.",
        )
    ledger.carry("rl", asked, "train.method", method)
    if asked in ("ipo", "simpo"):
        ledger.lay("train.dpo.loss", asked)


def _adapter(ledger: Ledger) -> None:
    """The adapter's kind; several keys say parts of it, and one kind is kept."""
    config = ledger.config
    asked = config.get("adapter")
    kinds = {"lora": "lora", "qlora": "qlora", "": "full"}
    kind = kinds.get(str(asked) if asked else "")
    if kind is None:
        ledger.carry("adapter", asked, "train.adapter.kind", "lora", "there is lora and its kin")
    elif "adapter" in config:
        why = "" if asked else "without an adapter all weights are trained"
        ledger.carry("adapter", asked, "train.adapter.kind", kind, why)
    else:
        ledger.lay("train.adapter.kind", "full")
        ledger.tell("adapter", "left out", "carried", "train.adapter.kind", "all weights are trained")
    four = bool(config.get("load_in_4bit"))
    if four and asked == "lora":
        ledger.carry("load_in_4bit", True, "train.adapter.kind", "qlora")
    elif "load_in_4bit" in config:
        if four == (ledger.get("train.adapter.kind") == "qlora"):
            ledger.tell("load_in_4bit", config["load_in_4bit"], "carried", "train.adapter.kind", "")
        else:
            ledger.leave(
                "load_in_4bit", config["load_in_4bit"], "qlora, and it alone, has a base in four bits"
            )
    _beginning(ledger)


def _beginning(ledger: Ledger) -> None:
    """How the adapter begins, which makes it another kind."""
    key = "peft_init_lora_weights"
    if key in ledger.config:
        start, there = ledger.config[key], ledger.get("train.adapter.kind")
        wanted = isinstance(start, str) and start.startswith("pissa")
        if wanted and there == "lora":
            ledger.carry(key, start, "train.adapter.kind", "pissa")
        elif wanted:
            ledger.leave(key, start, f"an adapter is of one kind, and this one is {there}")
        elif start in (False, True, None):
            ledger.tell(key, start, "carried", "train.adapter.kind", "")
        else:
            ledger.leave(key, start, "LoRA begins as PEFT has it, or as pissa")


def _batch(ledger: Ledger) -> None:
    """Rows in a step are counted in tokens here: known where rows are packed to a length."""
    config = ledger.config
    micro, steps = (
        whole(config.get("micro_batch_size", 1)),
        whole(config.get("gradient_accumulation_steps") or 1),
    )
    length = whole(config.get("sequence_len", 512))
    keys = [
        key
        for key in ("micro_batch_size", "gradient_accumulation_steps", "batch_size")
        if config.get(key) is not None
    ]
    for key in keys:
        if config.get("sample_packing") and micro and steps and length:
            why = "micro_batch_size × gradient_accumulation_steps rows of sequence_len tokens, on one device"
            ledger.carry(key, config[key], "train.batch_tokens", micro * steps * length, why)
        else:
            ledger.leave(
                key,
                config[key],
                "a step's rows are counted in tokens: train.batch_tokens, left out, is chosen from them",
            )


def _defaults(ledger: Ledger) -> None:
    """What Axolotl takes where the config says nothing, and this project file would take otherwise."""
    for key, value, field in (("sequence_len", 512, "train.max_length"), ("num_epochs", 1, "train.epochs")):
        if ledger.config.get(key) is None and not ledger.config.get("max_steps"):
            ledger.carry(f"{key} (left out)", value, field, value)
    if ledger.config.get("excess_length_strategy") is None:
        ledger.carry("excess_length_strategy (left out)", "drop", "train.over_long", "drop")


def _targets(ledger: Ledger, key: str, value: Any) -> None:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        ledger.carry(key, value, "train.adapter.targets", value)
    elif value in ("all-linear", "all_linear"):
        ledger.carry(key, value, "train.adapter.targets", "all-linear")
    else:
        ledger.leave(key, value, "targets are names of modules, not a pattern; every linear layer is adapted")


def _all_linear(ledger: Ledger, key: str, value: Any) -> None:
    if value and isinstance(ledger.config.get("lora_target_modules"), list):
        ledger.leave(key, value, "lora_target_modules names them")
    elif value:
        ledger.carry(key, value, "train.adapter.targets", "all-linear")
    else:
        ledger.tell(key, value, "carried", "train.adapter.targets", "")


def _tokens(ledger: Ledger, key: str, value: Any) -> None:
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
    why = "each word's embedding is trained with the adapter"
    ledger.carry(key, value, "train.adapter.new_words", words, why)


def _beta(ledger: Ledger, key: str, value: Any) -> None:
    method = ledger.get("train.method")
    if method in ("dpo", "kto"):
        ledger.carry(key, value, f"train.{method}.beta", number(value))
    elif method == "orpo":
        ledger.carry(key, value, "train.orpo.weight", number(value))
    else:
        ledger.leave(key, value, "sft has no reference to stay near")


def _loss(ledger: Ledger, key: str, value: Any) -> None:
    names = value if isinstance(value, list) else [value]
    if ledger.get("train.method") == "dpo" and len(names) == 1:
        ledger.carry(key, value, "train.dpo.loss", names[0])
    else:
        ledger.leave(key, value, "dpo takes one loss")


def _long(ledger: Ledger, key: str, value: Any) -> None:
    ours = _LONG.get(str(value))
    if ours is None:
        ledger.leave(key, value, "there is fail, drop and cut")
    else:
        ledger.carry(
            key,
            value,
            "train.over_long",
            ours,
            "the oldest turns go, not the answer" if ours == "cut" else "",
        )


def _deduplicated(ledger: Ledger, key: str, value: Any) -> None:
    ledger.carry(
        key,
        value,
        "recipe",
        [{"op": "drop_duplicates"}] if value else [],
        "blanks and letter case aside" if value else "",
    )


def _eval_steps(ledger: Ledger, key: str, value: Any) -> None:
    steps = whole(value)
    if steps:
        ledger.carry(key, value, "train.dev_every", steps)
    else:
        ledger.leave(key, value, "dev is looked at every so many steps, by default four times an epoch")


def _evals_per_epoch(ledger: Ledger, key: str, value: Any) -> None:
    if number(value) == 4:
        ledger.tell(key, value, "carried", "train.dev_every", "four times an epoch is the default")
    else:
        ledger.leave(key, value, "dev is looked at four times an epoch, or every train.dev_every steps")


def _embedded_system(ledger: Ledger, key: str, value: Any) -> None:
    ledger.carry(key, value, "task.system", str(value))


RULES: dict[str, rules.Rule] = {
    "lora_r": plain("train.adapter.rank", whole),
    "lora_alpha": plain("train.adapter.alpha"),
    "lora_dropout": plain("train.adapter.dropout"),
    "lora_target_modules": _targets,
    "lora_target_linear": _all_linear,
    "loraplus_lr_ratio": plain("train.adapter.b_rate"),
    "peft_use_rslora": flag("train.adapter.rslora"),
    "peft_use_dora": flag("train.adapter.dora"),
    "tokens": _tokens,
    "learning_rate": plain("train.learning_rate"),
    "num_epochs": rules.epochs,
    "optimizer": rules.optimizer,
    "lr_scheduler": rules.schedule,
    "warmup_ratio": plain("train.warmup"),
    "warmup_steps": rules.warmup_steps("max_steps"),
    "weight_decay": plain("train.weight_decay"),
    "max_grad_norm": plain("train.clip"),
    "neftune_noise_alpha": plain("train.neftune"),
    "noisy_embedding_alpha": plain("train.neftune"),
    "seed": plain("train.seed", whole),
    "sequence_len": plain("train.max_length", whole),
    "excess_length_strategy": _long,
    "gradient_checkpointing": flag("train.gradient_checkpointing"),
    "activation_offloading": flag("train.activation_offload"),
    "torch_compile": flag("train.compile"),
    "bf16": rules.precision,
    "bfloat16": rules.precision,
    "fp16": rules.fp16,
    "float16": rules.fp16,
    "val_set_size": rules.held_out,
    "dataset_exact_deduplication": _deduplicated,
    "default_system_message": _embedded_system,
    "early_stopping_patience": plain("train.patience", whole),
    "eval_steps": _eval_steps,
    "evals_per_epoch": _evals_per_epoch,
    "save_total_limit": plain("train.keep", whole, "adapters of so many last looks at dev"),
    "use_wandb": rules.sink("wandb"),
    "wandb_project": rules.sink("wandb"),
    "use_tensorboard": rules.sink("tensorboard"),
    "use_mlflow": rules.sink("mlflow"),
    "mlflow_tracking_uri": rules.sink("mlflow"),
    "mlflow_experiment_name": rules.sink("mlflow"),
    "use_trackio": rules.sink("trackio"),
    "trackio_project_name": rules.sink("trackio"),
    "rl_beta": _beta,
    "dpo_beta": _beta,
    "dpo_loss_type": _loss,
    "rpo_alpha": plain("train.dpo.nll"),
    "orpo_alpha": plain("train.orpo.weight"),
    "simpo_gamma": plain("train.dpo.margin"),
    "kto_desirable_weight": plain("train.kto.desirable_weight"),
    "kto_undesirable_weight": plain("train.kto.undesirable_weight"),
    "train_on_inputs": rules.always(
        False, "questions are read, answers are trained", "questions are not trained"
    ),
    "sample_packing": rules.always(
        True, "rows are packed, and none sees another", "rows are packed all the same; none sees another"
    ),
    "eval_sample_packing": rules.always(
        True, "rows are packed, and none sees another", "rows are packed all the same; none sees another"
    ),
    "shuffle_merged_datasets": rules.always(True, "rows come in a seeded random order"),
    "load_in_8bit": rules.always(
        False,
        "the base is in 16 or 32 bits, or four with qlora",
        "the base is in 16 or 32 bits, or four with qlora",
    ),
    "load_best_model_at_end": rules.always(True, "the best weights by dev are kept"),
    "save_safetensors": rules.always(True, "weights are safetensors"),
    "trust_remote_code": rules.always(False, rules.NO_CODE),
    "strict": rules.always(True, "unknown keys are refused", "unknown keys are refused all the same"),
    "pad_to_sequence_len": rules.always(False, "nothing is padded"),
    "group_by_length": rules.always(False, "packed rows need no sorting"),
    "max_steps": leave("a run is as long as its epochs: set train.epochs"),
    "test_datasets": leave("give these rows as a suite: suites: {name: {examples: rows.jsonl, form: …}}"),
}
