"""New words: one token each, that begins as the mean of its pieces, is trained, and goes where the adapter goes."""

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_run import SPEC, Cut, contents, run
from transformers import AutoModelForCausalLM, AutoTokenizer

from tiny import save_model
from tunewright.core.errors import ModelError
from tunewright.core.example import ask, make_document, make_example
from tunewright.core.files import read_json
from tunewright.core.generation import Decoding
from tunewright.core.message import Message
from tunewright.generate.torch import TorchGenerator
from tunewright.models.base import Base, resolve_base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train import learnt, weights
from tunewright.train.gate import unseen_words
from tunewright.train.methods import sft
from tunewright.train.pack import Row
from tunewright.train.served import serving_warnings
from tunewright.train.spec import AdapterSpec, SettledAdapter, TrainSpec

WORDS = ("Velora", "Zarquint")
ROWS = [ask(f"Which lamp is number {i}?", f"The {WORDS[i % 2]}, {i}.") for i in range(24)]
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "own head"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("words")
    save_model(folder, "qwen3", tie_word_embeddings=request.param)
    return resolve_base(str(folder), folder)


def adapter(kind: str = "lora") -> AdapterSpec:
    return AdapterSpec(kind=kind, rank=4, new_words=WORDS)


def trained(folder: Path, base: Base, kind: str = "lora", **more):
    rate = 4e-3 if kind == "full" else 2e-2
    more_of = {"epochs": 30, "patience": 99, "batch_tokens": 512}
    spec = SPEC.model_copy(update={"adapter": adapter(kind), "learning_rate": rate, **more_of})
    return run(folder, base, spec, rows=ROWS[:20], dev=ROWS[20:], **more)


def test_a_word_is_one_token_where_it_stands_by_itself(base: Base) -> None:
    plain, own = load_tokenizer(base), weights.own_tokenizer(base, adapter())
    first, second = own.convert_tokens_to_ids(list(WORDS))
    assert (first, second, len(own)) == (400, 401, 402)
    ids = own("a Velora, Veloras.", add_special_tokens=False)["input_ids"]
    assert ids.count(first) == 1
    assert own.decode(ids) == "a Velora, Veloras."
    assert plain("red door")["input_ids"] == own("red door")["input_ids"]
    row = Renderer(own).training(ROWS[0])
    assert [token for token in row.ids if token >= 400] == [first]
    assert sum(row.mask) < sum(Renderer(plain).training(ROWS[0]).mask)


@pytest.mark.parametrize("kind", ["lora", "dora", "full"])
def test_it_begins_as_the_mean_of_its_pieces(base: Base, kind: str) -> None:
    parts = load_tokenizer(base)("Velora", add_special_tokens=False)["input_ids"]
    model = weights.prepare(base, SettledAdapter(kind=kind, rank=4, new_words=WORDS), CPU, 0, torch.float32)
    plain = load_model(base)
    inner = model if kind == "full" else model.get_base_model()
    for found, wanted in (
        (inner.get_input_embeddings().weight, plain.get_input_embeddings().weight),
        (inner.get_output_embeddings().weight, plain.get_output_embeddings().weight),
    ):
        assert found.shape[0] == 402
        torch.testing.assert_close(found[400], wanted[parts].mean(0))
        assert torch.equal(found[:400], wanted)
    row = Row("a", [1, 7, 8, 9, 2], [0, 1, 1, 1, 1])
    (logits,), (old,) = learnt.row_logits(model, [row]), learnt.row_logits(plain, [row])
    torch.testing.assert_close(logits[:, :400], old, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["lora", "rslora", "dora", "full"])
def test_it_is_trained_and_the_adapter_brings_it_along(base: Base, tmp_path: Path, kind: str) -> None:
    summary = trained(tmp_path, base, kind)
    assert summary.best_dev_loss < 0.7 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    folder = tmp_path / "out/adapter"
    tokenizer = load_tokenizer(base, folder)
    assert tokenizer.convert_tokens_to_ids("Zarquint") == 401
    assert tokenizer.get_chat_template() == load_tokenizer(base).get_chat_template()
    generator = TorchGenerator(base, folder)
    replies = generator.generate([row[:-1] for row in ROWS[:8]], Decoding(max_new_tokens=12))
    if kind != "full":  # so small a model unlearns writing when all of it moves
        assert sum(word in reply.text for reply in replies for word in WORDS) > 4


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_documents_teach_new_words(base: Base, tmp_path: Path, kind: str) -> None:
    """The vocabulary of documents: read as one token, its row moves, and no other does."""
    texts = [make_document(f"The {WORDS[i % 2]} is a lamp, and its number is {i}.") for i in range(24)]
    rate = 4e-3 if kind == "full" else 2e-2
    spec = SPEC.model_copy(
        update={"method": "cpt", "adapter": adapter(kind), "learning_rate": rate, "epochs": 8}
    )
    summary = run(tmp_path, base, spec, rows=texts[:20], dev=texts[20:])
    assert summary.best_dev_loss < 0.8 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    begun = weights.prepare(base, SettledAdapter(kind=kind, rank=4, new_words=WORDS), CPU, 0, torch.float32)
    before = (begun if kind == "full" else begun.get_base_model()).get_input_embeddings().weight
    after = load_model(base, adapter=tmp_path / "out/adapter")
    after = (after if kind == "full" else after.get_base_model()).get_input_embeddings()
    after = after.weight if kind == "full" else after(torch.arange(402))
    assert (after[400:] != before[400:]).any(1).all()
    if kind == "lora":
        assert torch.equal(after[:400], before[:400])


def test_only_the_new_rows_are_trained(base: Base, tmp_path: Path) -> None:
    summary = trained(tmp_path, base)
    stored = load_file(tmp_path / "out/adapter/adapter_model.safetensors")
    tokens = {name: value for name, value in stored.items() if "trainable_tokens" in name}
    tied = load_model(base).config.tie_word_embeddings
    assert sorted(name.split(".token_adapter")[0].split(".")[-1] for name in tokens) == (
        ["embed_tokens"] if tied else ["embed_tokens", "lm_head"]
    )
    assert {tuple(value.shape) for value in tokens.values()} == {(2, 32)}
    plain = load_model(base)
    assert summary.parameters == sum(value.numel() for value in plain.parameters()) + 64 * (1 if tied else 2)
    config = read_json(tmp_path / "out/adapter/adapter_config.json")
    assert set(config["trainable_token_indices"]) >= {"embed_tokens"}


def test_peft_alone_loads_it(base: Base, tmp_path: Path) -> None:
    """As a user without Tunewright would: the adapter's tokenizer, the base made as large, PEFT's own loader."""
    trained(tmp_path, base)
    folder = tmp_path / "out/adapter"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    model.resize_token_embeddings(len(tokenizer))
    theirs = PeftModel.from_pretrained(model, folder).eval()
    ids = torch.tensor([Renderer(tokenizer).training(ROWS[0]).ids])
    ours = load_model(base, adapter=folder)
    torch.testing.assert_close(theirs(input_ids=ids).logits, ours(input_ids=ids).logits)


def test_cut_off_it_ends_in_the_same_bytes(base: Base, tmp_path: Path) -> None:
    trained(tmp_path / "whole", base)

    def cut(kind, **facts):
        if kind == "train.step" and facts["step"] == 5:
            raise Cut

    with pytest.raises(Cut):
        trained(tmp_path / "cut", base, emit=cut)
    trained(tmp_path / "cut", base)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")


def test_words_that_no_row_has(base: Base) -> None:
    renderer = Renderer(weights.own_tokenizer(base, adapter()))
    examples = [row for row in ROWS if "Velora" in row[-1].content]
    trees = sft.trees([make_example(row) for row in examples], renderer)
    (problem,) = unseen_words(WORDS, renderer, trees)
    assert str(problem).startswith(
        "train.adapter.new_words: 1 of 2 new words stand in no training row, 'Zarquint' among them. Take them out"
    )
    assert unseen_words(WORDS[:1], renderer, trees) == []


@pytest.mark.parametrize("words", [["a", "a"], [""], [" a"]])
def test_what_is_no_word(words: list[str]) -> None:
    with pytest.raises(ValueError, match="is no word, or stands twice"):
        AdapterSpec(new_words=tuple(words))


def test_what_new_words_do_not_go_with(base: Base) -> None:
    for settings in ({"adapter": {"kind": "pissa"}}, {"method": "kto"}):
        settings = {**settings, "adapter": {**settings.get("adapter", {}), "new_words": ["Velora"]}}
        with pytest.raises(ValueError, match=r"leave train\.adapter\.new_words out"):
            TrainSpec.model_validate(settings)
    with pytest.raises(ModelError, match="'The' is one token of the base's already"):
        weights.own_tokenizer(base, AdapterSpec(new_words=("The",)))
    (problem,) = serving_warnings(SettledAdapter(rank=4, new_words=("Velora",)))
    assert problem.message == "vLLM loads no adapters with new tokens"


def test_a_message_from_outside_is_written_with_it_too(base: Base, tmp_path: Path) -> None:
    trained(tmp_path, base)
    generator = TorchGenerator(base, tmp_path / "out/adapter")
    long, short = (
        generator.generate([(Message(role="user", content=text),)], Decoding(max_new_tokens=1))[0].tokens_in
        for text in ("Veloro or Velorb", "Velora or Velora")
    )
    assert short < long
