"""Rules for single keys: where its value goes, or why it goes nowhere. A tool's table maps its keys to them."""

import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tunewright.data.names import did_you_mean
from tunewright.project.importing.carried import SAYS_NOTHING, Ledger

Rule = Callable[[Ledger, str, Any], None]
"""Called with the ledger, the key and its value, which is not empty."""

ONE_DEVICE = "training runs on one device"
KERNELS = "kernels and attention are chosen by the machine"
HOUSE = "results lie in the project's store, named by their content"
RESUMES = "a run goes on by itself where it was cut off"
EVENTS = "every step is in the event log"
BASE_SAYS = "the base's own configuration, tokenizer and template say so"
NO_CODE = "code is not run from a hub or a config"
NO_MEDIA = "only texts are trained"
LOADING = "rows are read and rendered without it"

OPTIMIZERS: dict[str, str] = {
    **dict.fromkeys(
        ("adamw", "adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_torch_xla", "paged_adamw_32bit"),
        "adamw",
    ),
    **dict.fromkeys(
        ("adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit", "adamw_torch_8bit", "ao_adamw_8bit"), "adamw8bit"
    ),
}
"""Their word → ours."""
SCHEDULES = {
    "cosine": "cosine",
    "linear": "linear",
    "constant": "constant",
    "constant_with_warmup": "constant",
    "warmup_stable_decay": "wsd",
}


def number(value: Any) -> float | int | None:
    """A number, also one written as text (YAML reads 2e-5 as such); none where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """A whole number, or none."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def plain(field: str, read: Callable[[Any], Any] = number, why: str = "") -> Rule:
    """The value goes to a field as it is."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        found = read(value)
        if found is None:
            ledger.leave(key, value, f"{field} cannot read it")
        else:
            ledger.carry(key, value, field, found, why)

    return rule


def flag(field: str) -> Rule:
    """True or false goes to a field as it is; another word means true."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        why = "" if isinstance(value, bool) else "here it is done or not"
        ledger.carry(key, value, field, bool(value), why)

    return rule


def leave(why: str) -> Rule:
    """The key has no counterpart."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        ledger.leave(key, value, why)

    return rule


def always(holds: Any, why: str, instead: str = "") -> Rule:
    """What the key says when it is `holds` is so without a setting; else there is no counterpart."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        if value == holds:
            ledger.tell(key, value, "carried", "always so", why)
        else:
            ledger.leave(key, value, instead or why)

    return rule


def optimizer(ledger: Ledger, key: str, value: Any) -> None:
    """The optimizer; an unknown one becomes AdamW, and is told."""
    ours = OPTIMIZERS.get(str(value))
    if ours is None:
        ledger.carry(key, value, "train.optimizer", "adamw", "there is AdamW, with moments in 32 or 8 bits")
    else:
        why = "" if not str(value).startswith("paged") else "its state is not paged"
        ledger.carry(key, value, "train.optimizer", ours, why)


def schedule(ledger: Ledger, key: str, value: Any) -> None:
    """The learning rate's way down; an unknown one becomes the cosine, and is told."""
    ours = SCHEDULES.get(str(value))
    if ours is None:
        ledger.carry(key, value, "train.schedule", "cosine", "there is cosine, linear, constant and wsd")
    else:
        ledger.carry(key, value, "train.schedule", ours)


def epochs(ledger: Ledger, key: str, value: Any) -> None:
    """Passes over the rows, whole ones."""
    found = number(value)
    if found is None or found <= 0:
        ledger.leave(key, value, "train.epochs cannot read it")
        return
    why = "" if found == int(found) else "epochs are whole; training stops earlier where dev gets no better"
    ledger.carry(key, value, "train.epochs", math.ceil(found), why)


def warmup_steps(steps_key: str) -> Rule:
    """A number of warm-up steps as a share of all, where the config says how many there are."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        steps, total = number(value), number(ledger.config.get(steps_key))
        if steps == 0:
            ledger.carry(key, value, "train.warmup", 0.0)
        elif steps is not None and 0 < steps < 1:
            ledger.carry(key, value, "train.warmup", steps)
        elif steps and total and steps < total:
            share = round(steps / total, 4)
            ledger.carry(key, value, "train.warmup", share, f"a share of the {total:g} steps")
        else:
            ledger.leave(key, value, "the warm-up is a share of the steps; set train.warmup")

    return rule


def held_out(ledger: Ledger, key: str, value: Any) -> None:
    """The share kept for evaluation: as much for dev as for the test that judges."""
    share = number(value)
    if share is not None and 0 < share < 0.5:
        parts = {"train": round(1 - 2 * share, 6), "dev": share, "test": share}
        ledger.carry(key, value, "split", parts, "as much again is kept for the test, which dev never sees")
    elif share == 0:
        ledger.tell(
            key, value, "changed", "split", "a dev and a test part are kept all the same, for the proof"
        )
    else:
        ledger.leave(key, value, "parts are shares of the rows; set split.dev and split.test")


def sink(name: str) -> Rule:
    """A tracker that is set up at all becomes one of train.sinks."""

    def rule(ledger: Ledger, key: str, value: Any) -> None:
        if value is False:
            ledger.tell(key, value, "carried", "train.sinks", "")
            return
        there = list(ledger.get("train.sinks") or ())
        laid = there if name in there else [*there, name]
        why = "" if value is True else "the run is called after the project"
        ledger.carry(key, value, "train.sinks", laid, why)

    return rule


def precision(ledger: Ledger, key: str, value: Any) -> None:
    """bf16: true, false, auto, full."""
    if value == "auto":
        ledger.carry(key, value, "train.precision", "auto")
    elif value is False:
        if ledger.config.get("fp16"):
            ledger.tell(key, value, "carried", "", "see fp16")
        else:
            ledger.carry(key, value, "train.precision", "fp32")
    elif value == "full":
        ledger.carry(key, value, "train.precision", "bf16", "the adapter's own weights stay in fp32")
    else:
        ledger.carry(key, value, "train.precision", "bf16")


def fp16(ledger: Ledger, key: str, value: Any) -> None:
    """fp16, which has no counterpart."""
    if value is False:
        ledger.tell(key, value, "carried", "always so", "nothing is trained in fp16")
    elif ledger.get("train.precision") in ("bf16", "auto"):
        ledger.leave(key, value, "nothing is trained in fp16; bf16 is set")
    else:
        ledger.carry(
            key,
            value,
            "train.precision",
            "auto",
            "there is no fp16: bf16 where the machine has it, else fp32",
        )


def apply(ledger: Ledger, rules: Mapping[str, Rule], without: Mapping[str, str], tool: str) -> None:
    """Write a line for every key that has none: by its rule, by the reason it is listed under, or as an unknown one.

    `without` is why → names parted by blanks, in which `*` stands for any letters.
    """
    reasons = [(name, why) for why, names in without.items() for name in names.split()]
    known = [*rules, *(name for name, _ in reasons if "*" not in name)]
    for key, value in ledger.config.items():
        if ledger.told(key):
            continue
        if value is None or value in ("", [], {}):
            ledger.leave(key, value, SAYS_NOTHING)
        elif key in rules:
            rules[key](ledger, key, value)
        else:
            why = next((why for name, why in reasons if fnmatchcase(key, name)), None)
            hint = did_you_mean(key, known) or ""
            ledger.leave(key, value, why or f"unknown: no key of {tool} that is known here. {hint}".strip())
