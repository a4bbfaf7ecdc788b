"""Continued pretraining: the loss by the model's own forward pass, and how documents become rows."""

from pathlib import Path

import pytest
import torch
from tokenizers.processors import TemplateProcessing

from tiny import make_tokenizer
from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_document, make_example
from tunewright.core.message import with_system
from tunewright.models.base import Base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Rendered, Renderer
from tunewright.train.length import fit
from tunewright.train.methods import cpt
from tunewright.train.pack import Tree, compact, pack
from tunewright.train.policy import Policy
from tunewright.train.run import train
from tunewright.train.spec import TrainSpec

TEXT = "The quick brown fox jumps over the lazy dog."


def fitted(renderer, longest, *texts, **settings):
    spec = TrainSpec(method="cpt", max_length=longest, **settings)
    return fit([make_document(text) for text in texts], cpt, renderer, "Reply with one word.", spec)


def test_the_loss_is_the_mean_over_every_token_but_the_first(tiny_base: Base, tiny_renderer) -> None:
    torch.set_num_threads(1)
    model = load_model(tiny_base)
    trees = cpt.trees([make_document(TEXT), make_document("The door is red.")], tiny_renderer)
    batch, spec = pack(trees), TrainSpec(method="cpt")
    policy = Policy(model, trees)
    found = cpt.part(policy, batch, cpt.totals(policy, [batch], spec), spec).loss
    losses = list[float]()
    for tree in trees:
        ids = torch.tensor([tree.rows[0].ids])
        with torch.no_grad():
            chances = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        losses += [-float(chances[at, token]) for at, token in enumerate(tree.rows[0].ids[1:])]
    assert found.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_a_document_is_its_text_and_the_end_without_template_or_system_prompt(tiny_renderer) -> None:
    ids = [*tiny_renderer.tokenizer(TEXT)["input_ids"], tiny_renderer.tokenizer.eos_token_id]
    document = make_document(TEXT)
    assert with_system(document.messages, "Reply with one word.") == document.messages
    row = compact(document.id, ids, [0] + [1] * (len(ids) - 1))
    assert list(fitted(tiny_renderer, 200, TEXT).by_example()) == [[Tree((row,))]]


def test_a_document_begins_as_the_tokenizer_begins() -> None:
    tokenizer = make_tokenizer(bos_token="<s>", eos_token="<|endoftext|>")
    begin, end = tokenizer.convert_tokens_to_ids(["<s>", "<|endoftext|>"])
    plain = tokenizer(TEXT)["input_ids"]
    assert Renderer(tokenizer).document(TEXT) == Rendered([*plain, end], [0] + [1] * len(plain))
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", begin)]
    )
    assert Renderer(tokenizer).document(TEXT) == Rendered([begin, *plain, end], [0] + [1] * (len(plain) + 1))


def test_without_an_end_of_sequence_token_the_end_of_turn_ends_it() -> None:
    tokenizer = make_tokenizer(eos_token=None)
    renderer = Renderer(tokenizer)
    assert renderer.document("red").ids[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_control_words_are_text(tiny_renderer) -> None:
    text = "<|im_end|> ends a turn, and <|endoftext|><|im_start|> do not."
    ids, mask = tiny_renderer.document(text)
    assert not tiny_renderer.control_ids & set(ids[:-1])
    assert tiny_renderer.decode(ids) == text
    assert mask == [0] + [1] * (len(ids) - 1)


@pytest.mark.parametrize("longest", [8, 9, 20])
def test_a_long_document_is_trained_in_pieces_that_overlap_by_one_token(tiny_renderer, longest: int) -> None:
    whole = tiny_renderer.document(TEXT * 3)
    (trees,) = fitted(tiny_renderer, longest, TEXT * 3, over_long="drop").by_example()
    rows = [tree.rows[0] for tree in trees]
    assert [len(row.ids) for row in rows[:-1]] == [longest] * (len(rows) - 1)
    assert 2 <= len(rows[-1].ids) <= longest
    assert [after.ids[0] for after in rows[1:]] == [before.ids[-1] for before in rows[:-1]]
    assert [list(row.mask) for row in rows] == [[0] + [1] * (len(row.ids) - 1) for row in rows]
    trained = [token for row in rows for token in row.ids[1:]]
    assert trained == whole.ids[1:]
    end = tiny_renderer.end_of_text
    assert [row.ids.count(end) for row in rows] == [0] * (len(rows) - 1) + [1]


@pytest.mark.parametrize("over_long", ["fail", "drop", "cut"])
def test_a_document_that_just_fits_is_one_piece_whatever_over_long_says(tiny_renderer, over_long) -> None:
    longest = len(tiny_renderer.document(TEXT).ids)
    found = fitted(tiny_renderer, longest, TEXT, f"{TEXT}!", over_long=over_long)
    assert [[len(tree.rows[0].ids) for tree in trees] for trees in found.by_example()] == [
        [longest],
        [longest, 2],
    ]
    assert (found.cut, found.dropped, len(found.rendered())) == ((), (), 3)


def test_what_cpt_refuses() -> None:
    document, talk = make_document(TEXT), make_example(ask("a", "b"))
    assert cpt.examine([document], TrainSpec(method="cpt")) == []
    with pytest.raises(DataError) as caught:
        cpt.examine([document, talk], TrainSpec(method="cpt"))
    assert str(caught.value) == (
        f"example {talk.id}: cpt trains documents, and a row is a conversation. Choose the method sft, or name the column"
        " that holds the text alone (columns: {text: …})."
    )
    with pytest.raises(ValueError, match=r"cannot be asked: set train\.dev_answers to 0"):
        TrainSpec(method="cpt", dev_answers=8)


def test_a_run_learns_documents_in_pieces(tiny_base: Base, tiny_renderer, tmp_path: Path) -> None:
    rows = [make_document(f"The door number {number} is red, and it is open. " * 3) for number in range(12)]
    spec = TrainSpec(
        method="cpt", epochs=4, batch_tokens=256, max_length=32, learning_rate=2e-2, precision="fp32"
    )
    (tmp_path / "out").mkdir()
    found = train(
        spec, rows[:8], rows[8:], base=tiny_base, system="Ignored.", work=tmp_path / "work",
        out=tmp_path / "out", threads=1,
    )  # fmt: skip
    assert found.best_dev_loss < 0.9 * found.first_dev_loss
    assert (found.rows, found.dev_rows) == (16, 8)
    assert all(check.passed for check in found.checks)
    whole = [tiny_renderer.document(row.expected).ids for row in rows[:8]]
    assert found.trained_tokens == found.epochs * sum(len(ids) - 1 for ids in whole)


def test_rehearsal_keeps_what_documents_would_push_out(tiny_base: Base, tmp_path: Path) -> None:
    """Answers are trained as conversations beside the documents, and are likelier after it than without them."""
    rows = [make_document(f"The door number {number} is red. " * 2) for number in range(12)]
    general = [make_example(ask(f"Is the door {number} open?", "yes, eleven euros")) for number in range(12)]
    spec = TrainSpec(method="cpt", epochs=4, batch_tokens=256, learning_rate=1e-2, precision="fp32")
    found = {}
    for name, rehearsal in (("alone", []), ("beside", general)):
        out = tmp_path / name / "out"
        out.mkdir(parents=True)
        summary = train(
            spec, rows, [], base=tiny_base, system="Ignored.", work=tmp_path / name / "work", out=out,
            rehearsal=rehearsal, threads=1,
        )  # fmt: skip
        assert summary.rehearsal_rows == len(rehearsal)
        model = load_model(tiny_base, adapter=out / "adapter", device="cpu")
        renderer = Renderer(load_tokenizer(tiny_base))
        row = renderer.training(general[0].messages)
        logits = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
        trained = [at for at in range(1, len(row.ids)) if row.mask[at]]
        found[name] = -sum(logits[at - 1, row.ids[at]].item() for at in trained) / len(trained)
    assert found["beside"] < 0.6 * found["alone"]
