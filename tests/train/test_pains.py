"""What users of other trainers lost days to, as tests. docs/training.md has the whole list with where each is tested."""

import pytest
from safetensors.torch import load_file, save_file
from test_run import ROWS, SPEC, run

from tiny import CHATML, make_tokenizer
from tunewright.core.errors import GateError
from tunewright.core.example import ask, make_example
from tunewright.models.load import load_model
from tunewright.models.template import Renderer
from tunewright.train import learnt
from tunewright.train.gate import check_rows
from tunewright.train.methods import find_method
from tunewright.train.pack import Row

TRIMS = CHATML.replace("message['content'] + '<|im_end|>'", "message['content'] | trim + '<|im_end|>'")


def test_a_training_that_does_nothing_is_no_success(tiny_base, tmp_path):
    with pytest.raises(GateError, match=r"Training did not take: adapter changed \(0 of 28 matrices changed"):
        run(tmp_path, tiny_base, SPEC.model_copy(update={"learning_rate": 1e-45}))


def test_a_matrix_that_no_gradient_reached_is_named():
    names = ["q.lora_A", "q.lora_B", "v.lora_A", "v.lora_B"]
    check = learnt.check_gradients(names, [True, True, False, True], steps=9)
    assert (check.passed, check.seen) == (False, "3 of 4 matrices; v.lora_A had none")


@pytest.mark.parametrize(("change", "words"), [("drop", "miss"), ("scale", "logits differ")])
def test_a_saved_adapter_that_is_not_what_was_trained_is_seen(tiny_base, tmp_path, change, words):
    run(tmp_path, tiny_base, SPEC.model_copy(update={"epochs": 1}))
    folder = tmp_path / "out" / "adapter"
    tuned = load_model(tiny_base, adapter=folder)
    rows = [Row("a", list(range(5, 25)), [1] * 20)]
    wanted = learnt.row_logits(tuned, rows)
    assert learnt.check_reload(tiny_base, folder, rows, wanted, tuned).passed
    weights = load_file(folder / "adapter_model.safetensors")
    first = next(name for name in sorted(weights) if "lora_B" in name)
    if change == "drop":
        del weights[first]
    else:
        weights[first] *= 2
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    check = learnt.check_reload(tiny_base, folder, rows, wanted, tuned)
    assert not check.passed
    assert words in check.seen


def test_the_end_of_turn_is_trained_where_it_pads_too():
    renderer = Renderer(make_tokenizer(pad_token="<|im_end|>"))
    ids, mask = renderer.training(ask("What colour?", "red"))
    assert renderer.tokenizer.pad_token_id == renderer.tokenizer.eos_token_id
    trained = [token for token, on in zip(ids, mask, strict=True) if on]
    assert trained[-1] == renderer.tokenizer.eos_token_id


@pytest.mark.parametrize("answer", [" red", "red\n", "\n red \n"])
@pytest.mark.parametrize("method", ["sft", "dpo", "orpo", "kto"])
def test_blanks_around_an_answer_do_not_empty_it(answer, method):
    """A template that trims answers; looking for the untrimmed text in the row finds nothing."""
    renderer = Renderer(make_tokenizer(TRIMS))
    example = make_example(ask("What colour?", answer), rejected=" blue ")
    (tree,) = find_method(method).trees([example], renderer)
    said = [
        renderer.decode([token for token, on in zip(row.ids, row.mask, strict=True) if on])
        for row in tree.rows
    ]
    assert said == ["red", "blue"][: len(tree.rows)]
    assert check_rows([("a", example.messages)], renderer, 200, "").passed


def test_answers_cut_by_the_longest_length_are_refused_not_trained(tiny_renderer):
    report = check_rows([("a", ask("What?", "red " * 100))], tiny_renderer, 50, "")
    assert [problem.kind for problem in report.problems] == ["too long"]


def test_two_long_rows_do_not_end_an_epoch_of_short_ones(tiny_base, tmp_path):
    """One long row is a batch of its own, whatever the batch's size."""
    long = ask("What is it? " * 30, "It is red.")
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"epochs": 1}), rows=[*ROWS[:10], long])
    assert summary.rows == 11
    assert summary.dropped_rows == summary.cut_rows == 0
