"""What users of other trainers lost days to, as tests. docs/training.md has the whole list with where each is tested."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_run import ROWS, SPEC, SYSTEM, run

from tiny import CHATML, make_tokenizer
from tunewright.core.errors import GateError
from tunewright.core.example import ask, make_example
from tunewright.core.message import with_system
from tunewright.core.task import TaskSpec
from tunewright.data.ingest import ingest, inspect_sources
from tunewright.data.spec import SourceSpec
from tunewright.models.load import load_model
from tunewright.models.template import Renderer
from tunewright.train import learnt, weights
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


@pytest.mark.parametrize(
    ("reached", "without"),
    [
        ([False, True, True, False], "1 of 2 matrices, v.lora_B among them"),
        ([False, True, False, True], None),
    ],
)
def test_a_matrix_that_no_gradient_will_reach_is_told_after_three_steps(reached, without):
    """B says so; A may wait for B to move, an expert for a token, a new word for its row."""
    names = [
        "q.lora_A",
        "q.lora_B",
        "v.lora_A",
        "v.lora_B",
        "x.experts.7.lora_B",
        "embed.trainable_tokens_delta",
    ]
    steps = [1, 2, 4, 3] if without else [1, 2, 3, 4]
    for step in steps[:-1]:
        learnt.refuse_unreached(names, [*reached, False, False], step)
    if without is None:
        learnt.refuse_unreached(names, [*reached, False, False], steps[-1])
        return
    with pytest.raises(GateError, match=f"after 3 steps no gradient has reached {without}") as caught:
        learnt.refuse_unreached(names, [*reached, False, False], steps[-1])
    (problem,) = caught.value.problems
    assert (problem.where, problem.fix) == (
        "train.adapter.targets",
        "Set train.adapter.targets to the layers that text goes through, without v, or choose another base.",
    )


def test_it_is_told_after_three_steps_of_a_run(tiny_base, tmp_path, monkeypatch):
    prepare, steps = weights.prepare, []

    def cut_off(*given):
        model = prepare(*given)
        model.get_base_model().model.layers[1].mlp.register_forward_hook(lambda *seen: seen[2].detach())
        return model

    monkeypatch.setattr(weights, "prepare", cut_off)
    with pytest.raises(
        GateError, match=r"after 3 steps no gradient has reached 3 of 14 matrices.*layers\.1\.mlp"
    ):
        run(tmp_path, tiny_base, emit=lambda kind, **_: steps.append(kind))
    assert steps.count("train.step") == 2


def test_of_all_weights_none_may_be_left_out():
    with pytest.raises(GateError, match=r"has reached 1 of 2 matrices, visual\.weight among them") as caught:
        learnt.refuse_unreached(["visual.weight", "norm.weight"], [False, True], 3)
    (problem,) = caught.value.problems
    assert (problem.where, problem.fix) == ("train.adapter.kind", "Choose lora, or another base.")


def test_an_adapter_without_effect_is_no_success():
    """A model that says the same with it as without: what is trained is not what answers."""
    logits = [torch.tensor([[0.5, 1.0], [2.0, -1.0]])]
    check = learnt.check_effect(logits, [part.clone() for part in logits])
    assert (check.passed, check.seen) == (False, "by up to 0")
    with pytest.raises(GateError, match=r"Training did not take: adapter changes the logits \(by up to 0\)"):
        learnt.refuse_unlearnt([check])
    moved = learnt.check_effect(logits, [logits[0] + torch.tensor([0.0, 1e-3])])
    assert (moved.passed, moved.seen) == (True, "by up to 0.001")


@pytest.mark.parametrize(("change", "words"), [("drop", "miss"), ("scale", "logits differ")])
def test_a_saved_adapter_that_is_not_what_was_trained_is_seen(tiny_base, tmp_path, change, words):
    run(tmp_path, tiny_base, SPEC.model_copy(update={"epochs": 1}))
    folder = tmp_path / "out" / "adapter"
    tuned = load_model(tiny_base, adapter=folder)
    rows = [Row("a", list(range(5, 25)), [1] * 20)]
    wanted = learnt.row_logits(tuned, rows)
    assert learnt.check_reload(load_model(tiny_base), folder, rows, wanted, exact=True).passed
    weights = load_file(folder / "adapter_model.safetensors")
    first = next(name for name in sorted(weights) if "lora_B" in name)
    if change == "drop":
        del weights[first]
    else:
        weights[first] *= 2
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    check = learnt.check_reload(load_model(tiny_base), folder, rows, wanted, exact=True)
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


def test_a_row_longer_than_the_batch_is_trained_whole(tiny_base, tmp_path, tiny_renderer):
    """It is a step of its own, and the shorter rows are trained beside it."""
    long = ask("What is it? " * 30, "It is red.")
    length = len(tiny_renderer.training(with_system(long, SYSTEM)).ids)
    assert length > SPEC.batch_tokens
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"epochs": 1}), rows=[*ROWS[:10], long])
    assert (summary.rows, summary.dropped_rows, summary.cut_rows) == (11, 0, 0)
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert length in [line["tokens"] for line in history["steps"]]


TURNS = [{"role": "human", "content": "What colour?"}, {"role": "gpt", "content": "red"}]
SHARED = {"conversations": [{"from": "human", "value": "What colour?"}, {"from": "gpt", "value": "red"}]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": TURNS}, "bad messages: messages[0].role is 'human'; roles are "),
        (
            {"prompt": TURNS[:1], "completion": TURNS[1:]},
            "bad messages: prompt[0].role is 'human'; roles are ",
        ),
        (
            {"messages": [{**TURNS[0], "role": "user"}, TURNS[1]]},
            "bad messages: messages[1].role is 'gpt'; roles are ",
        ),
        (SHARED, "missing column: "),
    ],
)
def test_rows_of_other_roles_are_set_aside_with_the_reason_never_trained_in_silence(tmp_path, row, reason):
    """ShareGPT's human and gpt; a trainer that drops unknown roles trains on empty rows."""
    good = {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "red"}]}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (good, row)))
    source = {"s": SourceSpec(path="rows.jsonl")}
    found = ingest(source, TaskSpec(), tmp_path, tmp_path / "out", reject_budget=0.5)
    assert (found.examples, found.rejects) == (1, 1)
    (line,) = (tmp_path / "out" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"].startswith(reason)
    (problem,) = inspect_sources(source, TaskSpec(), tmp_path, reject_budget=0.01)
    assert "1 of 2 rows (50.00%) cannot be used, more than the budget of 1.00%" in problem.message
