"""Building the base: two real steps, a run cut off and resumed, and the weights that ship."""

import json
from pathlib import Path
from shutil import copy

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tunewright.models.embedded import PATH, build, pretrain, suite
from tunewright.models.embedded.build import Phase
from tunewright.models.embedded.muon import orthogonalize

TINY = pretrain.base_config(
    hidden_size=32,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=2,
    head_dim=16,
)
PHASES = (
    Phase("recall", 2, (("recall", 48),), tokens=512),
    Phase("all", 4, (("chat", 256), ("ask", 96)), {"copy": 1, "label": 1}, rate=(1.0, 0.0), tokens=512),
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    copy(PATH / "tokenizer.json", tmp_path)
    return tmp_path


def _run(work: Path, steps: int, workers: int = 0) -> pretrain.Learner:
    phases = tuple(phase for phase in PHASES if phase.until <= steps)
    return build.run(work, TINY, 10.0, phases, workers=workers)


def test_two_real_steps_change_every_weight(work: Path) -> None:
    start = pretrain.new_learner(TINY, build.SEED, pretrain.Rates(), {})
    before = {name: param.detach().clone() for name, param in start.model.named_parameters()}
    learner = _run(work, 2)
    assert learner.step == 2
    assert all(not torch.equal(param, before[name]) for name, param in learner.model.named_parameters())


def test_a_resumed_run_is_the_same_bit_for_bit(work: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = _run(work, 4)
    other = tmp_path_factory.mktemp("other")
    copy(PATH / "tokenizer.json", other)
    _run(other, 2)
    resumed = _run(other, 4)
    assert (resumed.step, resumed.tokens) == (whole.step, whole.tokens)
    for (name, one), (_, two) in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().items(), strict=True
    ):
        assert torch.equal(one, two), name
    assert all(torch.equal(whole.average[name], resumed.average[name]) for name in whole.average)


def test_batches_drawn_by_other_processes_are_the_same(
    work: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = _run(work, 4)
    other = tmp_path_factory.mktemp("other")
    copy(PATH / "tokenizer.json", other)
    helped = _run(other, 4, workers=2)
    assert all(torch.equal(alone.average[name], helped.average[name]) for name in alone.average)


def test_a_card_adds_up_its_sittings(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = _run(work, 4)
    folder = tmp_path / "shipped"
    folder.mkdir()
    card = build.ship(work, TINY, folder, threads=2)
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".safetensors") == [
        "model.safetensors"
    ]
    assert (card["steps"], card["tokens"], card["threads"]) == (4, learner.tokens, 2)
    assert json.loads((folder / "card.json").read_text()) == card
    shipped = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.testing.assert_close(
        shipped.lm_head.weight.detach(), learner.average["model.embed_tokens.weight"], atol=1e-2, rtol=1e-2
    )
    on_cpu = {"minutes": 10.0, "threads": 2}
    assert build._time_taken(on_cpu, 15.0, 1) == {"minutes": 15.0, "threads": 2}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    once = build._time_taken(on_cpu, 12.0, 1)
    assert once == {"minutes": 10.0, "threads": 2, "accelerator": "a card", "accelerator_minutes": 2.0}
    twice = build._time_taken(once, 12.1, 1)
    assert twice["accelerator_minutes"] == 4.1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert build._time_taken(twice, 11.0, 1) == twice | {"minutes": 11.0}


def test_a_head_looks_back_from_the_start() -> None:
    learner = pretrain.new_learner(TINY, 0, pretrain.Rates(), {})
    ids = torch.randint(8, 4096, (2, 24))
    weights = learner.model(input_ids=ids, output_attentions=True).attentions[0]
    assert torch.diagonal(weights[:, 0], -1, 1, 2).mean() > 0.6


def test_chats_in_one_row_do_not_see_each_other(work: Path) -> None:
    model = pretrain.new_learner(TINY, 0, pretrain.Rates(), {}).model
    rows = build.batch(2, build.Renderer(build._tokenizer(work)), PHASES)
    first = rows.parts[0] == rows.parts[0, 0]
    changed = rows.ids.copy()
    changed[0, first] = 9
    learn = rows.learn.copy()
    learn[0, first] = False
    losses = [pretrain.loss_of(model, build.Rows(ids, learn, rows.parts))[0] for ids in (rows.ids, changed)]
    assert torch.equal(*losses)


def test_muon_makes_matrices_orthogonal() -> None:
    matrices = torch.randn(3, 16, 48)
    values = torch.linalg.svdvals(orthogonalize(matrices))
    assert ((values > 0.5) & (values < 1.4)).all()


def test_the_shipped_files_fit() -> None:
    assert (PATH / "model.safetensors").stat().st_size <= 16 * 2**20
    config = json.loads((PATH / "config.json").read_text())
    assert (config["model_type"], config["dtype"], config["vocab_size"]) == ("qwen3", "bfloat16", 4096)
    assert 2e6 <= json.loads((PATH / "card.json").read_text())["parameters"] <= 8e6


def test_the_docs_show_the_card() -> None:
    card = json.loads((PATH / "card.json").read_text())
    page = (Path(__file__).parents[3] / "docs" / "embedded-base.md").read_text()
    shown = page.split("<!-- card -->\n")[1].split("\n<!-- end of card -->")[0]
    assert shown == build.card_table(card)


@pytest.fixture(scope="module")
def shipped() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The weights that ship, and their tokenizer."""
    model = AutoModelForCausalLM.from_pretrained(PATH, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(PATH)


def test_the_shipped_weights_can_do_the_suite(
    shipped: tuple[PreTrainedModel, PreTrainedTokenizerBase],
) -> None:
    draws = suite.general_suite(3, seed=1)
    by_skill = suite.scores(draws, suite.answers(*shipped, draws, longest=96))
    assert sum(by_skill.values()) / len(by_skill) >= 0.85


def test_examples_teach_the_shipped_weights_a_format_they_never_saw(
    shipped: tuple[PreTrainedModel, PreTrainedTokenizerBase],
) -> None:
    right = []
    for shots in (0, 4):
        draws = suite.unseen_format(12, shots=shots, seed=1)
        right.append(suite.scores(draws, suite.answers(*shipped, draws, longest=48))["unseen_format"])
    none, four = right
    assert four >= none + 0.3
