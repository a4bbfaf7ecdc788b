"""TRL as the oracle: the same tiny model, rows, order and settings give the same losses, step by step, and one adapter."""

import json
import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from tiny import CHATML, save_model
from tunewright.core.events import silent
from tunewright.core.example import Example, ask, make_document, make_example
from tunewright.core.message import Conversation
from tunewright.models.base import Base, resolve_base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train import weights
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.fast import fast_layers
from tunewright.train.loop import Loop
from tunewright.train.lora import add_adapter, file_weights
from tunewright.train.methods import find_method
from tunewright.train.pack import shared_prefix
from tunewright.train.plan import Plan
from tunewright.train.policy import Policy
from tunewright.train.reference import refer
from tunewright.train.shelf import Shelf, Shelves
from tunewright.train.spec import AdapterSpec, TrainSpec

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
TEMPLATE = CHATML.replace("{{- '\\n' -}}{%- else -%}", "{%- else -%}")
"""ChatML whose assistant turns end at their end-of-turn token: TRL trains what a template writes after it, we do not."""
STEPS, ROWS = 20, 4
WORDS = (
    "red",
    "blue",
    "green",
    "eleven",
    "twelve",
    "a very long way to say it",
    "no",
    "yes",
    "Ada",
    "Prague",
)
SETTINGS = {
    "learning_rate": 5e-3,
    "warmup": 0.0,
    "adapter": AdapterSpec(rank=4),
    "precision": "fp32",
    "patience": 99,
}


def examples(method: str, *, turns: int = 1, alike: bool = False) -> list[Example]:
    """Rows of very different lengths: questions, with a better and a worse answer or a rating.

    `turns` is how many questions and answers a row has, all answers trained; `alike` gives the better answers one length.
    """
    found = []
    for number in range(STEPS * ROWS):
        talk: Conversation = ()
        for turn in range(number, number + turns):
            said = WORDS[0] if alike else WORDS[turn % 10]
            talk += ask(f"What is {turn}{' and so on' * (turn % 7)}?", f"It is {said}.")
        worse = f"{WORDS[(number + 3) % 10]}{' or not' * (number % 4)}"
        if method == "cpt":
            found.append(make_document(" ".join(message.content for message in talk)))
        elif method == "kto":
            found.append(make_example(talk, desirable=number % 3 > 0))
        else:
            found.append(make_example(talk, rejected=None if method == "sft" else worse))
    return found


SHOWN = {
    "dpo": {"reward_margin": "rewards/margins", "reward_accuracy": "rewards/accuracies"},
    "orpo": {"log_odds_ratio": "log_odds_chosen", "reward_accuracy": "rewards/accuracies"},
}
"""What a method shows beside the loss → TRL's name of it (its own `log_odds_ratio` is the log of their sigmoid)."""


class Trained(NamedTuple):
    """A loss for each step, the adapter by PEFT's names, and what is shown of each step beside its loss."""

    losses: list[float]
    adapter: dict[str, torch.Tensor]
    shown: dict[str, list[float]]


def ours(
    method: str, base: Base, folder: Path, rows: int = ROWS, data: Sequence[Example] = (), **settings: Any
) -> Trained:
    """Our loop over the rows in their order, so many a step."""
    spec = TrainSpec(method=method, **SETTINGS, **settings)
    found = find_method(method)
    trees = found.trees((data or examples(method))[: STEPS * rows], Renderer(load_tokenizer(base)))
    planned = tuple(tuple(range(start, start + rows)) for start in range(0, STEPS * rows, rows))
    prefix = shared_prefix(trees)
    plan = Plan(planned, (STEPS,), STEPS, prefix, ())
    torch.set_num_threads(1)
    model = add_adapter(load_model(base), spec.adapter, base, spec.seed)
    parameters = weights.trained(model)
    work = WorkFolder(folder / "ours", "oracle", 1)
    with fast_layers(model, torch.float32):
        policy = Policy(model, trees)
        assert policy.packed
        if found.needs_reference(spec):
            trees = Shelves(Shelf(trees))
            refer(policy, trees, prefix, work, silent)
        Loop(policy, parameters, found, spec, plan).run(trees, [], work, silent)
    steps = [line for line in work.history() if line["kind"] == "step"]
    shown = {name: [line[name] for line in steps] for name in SHOWN.get(method, ())}
    return Trained([line["loss"] for line in steps], file_weights(parameters), shown)


def theirs(
    method: str, base: Base, folder: Path, rows: int = ROWS, data: Sequence[Example] = (), **settings: Any
) -> Trained:
    """TRL's trainer over the same rows, from the same adapter; whole conversations where it trains all their answers."""
    from datasets import Dataset

    row = _messages if settings.get("assistant_only_loss") else partial(_trl_row, method=method)
    table = Dataset.from_list([row(example) for example in data or examples(method)])
    make, config = _trainer(method)
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    start = add_adapter(load_model(base), SETTINGS["adapter"], base, 0)
    adapter = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    tuned = get_peft_model(model, adapter)
    tuned.load_state_dict(weights.trained(start), strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = config(
            output_dir=str(folder / "theirs"), per_device_train_batch_size=rows, max_steps=STEPS, logging_steps=1,
            learning_rate=5e-3, lr_scheduler_type="cosine", warmup_steps=0, weight_decay=0.0, max_grad_norm=1.0,
            train_sampling_strategy="sequential", report_to="none", use_cpu=True, bf16=False, fp16=False,
            gradient_checkpointing=False, save_strategy="no", seed=0, disable_tqdm=True, max_length=512,
            **settings,
        )  # fmt: skip
        trainer = make(model=tuned, args=spec, train_dataset=table, processing_class=load_tokenizer(base))
        trainer.train()
    steps = [line for line in trainer.state.log_history if "loss" in line]
    names = SHOWN.get("dpo" if method == "simpo" else method, {})
    shown = {name: [line[called] for line in steps] for name, called in names.items()}
    trained: PeftModel = trainer.accelerator.unwrap_model(trainer.model)
    return Trained([line["loss"] for line in steps], file_weights(weights.trained(trained)), shown)


def _messages(example: Example) -> dict[str, Any]:
    return {"messages": [message.wire() for message in example.messages]}


def _trl_row(example: Example, method: str) -> dict[str, Any]:
    if method == "cpt":
        return {"text": example.expected}
    prompt = [message.wire() for message in example.prompt]
    answer = [{"role": "assistant", "content": example.expected}]
    if method == "sft":
        return {"prompt": prompt, "completion": answer}
    if method == "kto":
        return {"prompt": prompt, "completion": answer, "label": example.desirable}
    return {
        "prompt": prompt,
        "chosen": answer,
        "rejected": [{"role": "assistant", "content": example.rejected}],
    }


def _trainer(method: str) -> tuple[Any, Any]:
    import trl

    if method == "orpo":
        return _orpo_on_answers()
    if method == "simpo":
        from trl.experimental.cpo import CPOConfig, CPOTrainer

        return CPOTrainer, CPOConfig
    if method == "cpt":
        return trl.SFTTrainer, trl.SFTConfig
    return getattr(trl, f"{method.upper()}Trainer"), getattr(trl, f"{method.upper()}Config")


def _orpo_on_answers() -> tuple[Any, Any]:
    """TRL's ORPO with its likelihood taken on the chosen answer, as the paper's equation 6 has it: TRL's runs over the
    prompt too.
    """
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    class OnAnswers(ORPOTrainer):
        def concatenated_forward(self, model: Any, batch: Any) -> tuple[Any, ...]:
            found = super().concatenated_forward(model, batch)
            chosen = found[2]
            labels = self.concatenated_inputs(batch, padding_value=self.padding_value)["concatenated_labels"]
            labels = labels[: len(chosen), 1:]
            likelihood = torch.nn.functional.cross_entropy(chosen.flatten(0, 1), labels.flatten())
            return (*found[:4], likelihood)

    return OnAnswers, ORPOConfig


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = save_model(tmp_path_factory.mktemp("oracle") / "base", template=TEMPLATE, initializer_range=0.3)
    return resolve_base(str(folder), Path("/"))


@pytest.mark.parametrize(
    ("method", "settings", "trl_settings"),
    [
        ("sft", {}, {}),
        ("cpt", {}, {}),
        ("dpo", {"dpo": {"loss": "sigmoid"}}, {"loss_type": "sigmoid"}),
        ("dpo", {"dpo": {"loss": "hinge", "beta": 0.5}}, {"loss_type": "hinge", "beta": 0.5}),
        ("dpo", {"dpo": {"loss": "ipo", "beta": 0.5}}, {"loss_type": "ipo", "beta": 0.5}),
        (
            "dpo",
            {"dpo": {"loss": "robust", "label_smoothing": 0.2}},
            {"loss_type": "robust", "label_smoothing": 0.2},
        ),
        (
            "dpo",
            {"dpo": {"loss": "simpo", "beta": 2.0}},
            {"loss_type": "simpo", "beta": 2.0, "cpo_alpha": 0.0},
        ),
        ("orpo", {}, {}),
        ("orpo", {"orpo": {"weight": 1.0}}, {"beta": 1.0}),
        ("kto", {}, {}),
        ("kto", {"kto": {"undesirable_weight": 1.5}}, {"undesirable_weight": 1.5}),
    ],
)
def test_the_losses_and_the_adapter_are_trls(
    base: Base, tmp_path: Path, method: str, settings: dict[str, Any], trl_settings: dict[str, Any]
) -> None:
    found, wanted = (
        ours(method, base, tmp_path, **settings),
        theirs(
            "simpo" if trl_settings.get("loss_type") == "simpo" else method, base, tmp_path, **trl_settings
        ),
    )
    if trl_settings.get("loss_type") == "ipo":
        # TRL shows rewards of whole answers there, we of a token, as the loss has them
        wanted = wanted._replace(shown=found.shown)
    (tmp_path / "losses.json").write_text(json.dumps([found.losses, wanted.losses]))
    agree(found, wanted)


def test_dpo_with_the_chosen_answers_likelihood_is_trls(base: Base, tmp_path: Path) -> None:
    """A pair a step: TRL takes the likelihood over the tokens of all pairs, the paper and we over each pair's own.

    Where all chosen answers are of one length, both are the same: `test_that_likelihood_with_several_pairs_a_step`.
    """
    found = ours("dpo", base, tmp_path, rows=1, dpo={"loss": "sigmoid", "nll": 0.7})
    both = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.7]}
    agree(found, theirs("dpo", base, tmp_path, rows=1, **both))
    assert found.losses[0] > 0.7  # log 2 is the loss without the likelihood, before the first step


def test_that_likelihood_with_several_pairs_a_step(base: Base, tmp_path: Path) -> None:
    rows = examples("dpo", alike=True)
    found = ours("dpo", base, tmp_path, data=rows, dpo={"loss": "sigmoid", "nll": 0.7})
    both = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.7]}
    agree(found, theirs("dpo", base, tmp_path, data=rows, **both))
    assert found.losses[0] > 0.7


@pytest.fixture(scope="module", params=["llama", "gemma2", "gemma3_text"])
def other_base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """With initial weights of 0.3 a gradient of gemma3's is nearly none: AdamW blows its last digits up to the rate."""
    folder = tmp_path_factory.mktemp("oracle") / "base"
    save_model(folder, request.param, template=TEMPLATE, initializer_range=0.5)
    return resolve_base(str(folder), Path("/"))


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_on_other_architectures_too(other_base: Base, tmp_path: Path, method: str) -> None:
    agree(ours(method, other_base, tmp_path), theirs(method, other_base, tmp_path))


def test_all_answers_of_a_conversation(base: Base, tmp_path: Path) -> None:
    """Two questions and answers a row: TRL's mask comes from the template's generation markers, ours from the messages."""
    rows = examples("sft", turns=2)
    found = ours("sft", base, tmp_path, data=rows)
    agree(found, theirs("sft", base, tmp_path, data=rows, assistant_only_loss=True))
    assert found.losses[0] != ours("sft", base, tmp_path / "one").losses[0]


def agree(found: Trained, wanted: Trained) -> None:
    """Losses within 1e-4 and adapters within 1e-3."""
    assert len(found.losses) == STEPS
    assert found.losses == pytest.approx(wanted.losses, rel=1e-4, abs=1e-5)
    assert found.losses[-1] != found.losses[0]
    assert found.shown == {
        name: pytest.approx(values, rel=1e-3, abs=1e-3) for name, values in wanted.shown.items()
    }
    assert found.adapter.keys() == wanted.adapter.keys()
    for name, weight in found.adapter.items():
        assert (weight - wanted.adapter[name]).norm() <= 1e-3 * wanted.adapter[name].norm(), name
