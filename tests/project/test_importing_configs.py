"""Small configs of every method and every form of data, in the words of their tools: what project each becomes."""

from typing import Any, NamedTuple

import pytest
from config_bench import Bench

from tunewright.core.errors import UserError

_MODEL = "base_model: owner/model\nsequence_len: 1024\nmicro_batch_size: 1\nlearning_rate: 1e-4\n"
_LORA = f"{_MODEL}adapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\n"
_FACTORY = "model_name_or_path: owner/model\ndo_train: true\ntemplate: default\ncutoff_len: 512\n"


class Case(NamedTuple):
    """A config, and what comes of it."""

    name: str
    text: str
    method: str
    kind: str
    """The adapter's."""
    forms: dict[str, Any]
    """Source → (its path, its form)."""
    info: str = ""
    """A dataset_info.json."""


def axolotl(
    name: str, data: str, form: Any, *, method: str = "sft", more: str = "", full: bool = False
) -> Case:
    """A config of one data set, `owner/rows`."""
    text = f"{_MODEL if full else _LORA}datasets:\n  - path: owner/rows\n    {data}\n{more}"
    return Case(name, text, method, "full" if full else "lora", {"rows": ("hub:owner/rows", form)})


def factory(name: str, stage: str, entry: str, form: Any, *, method: str = "sft", more: str = "") -> Case:
    """A config of one data set, `rows`."""
    text = f"{_FACTORY}stage: {stage}\nfinetuning_type: lora\ndataset: rows\n{more}"
    info = f'{{"rows": {{"hf_hub_url": "owner/rows"{entry}}}}}'
    return Case(name, text, method, "lora", {"rows": ("hub:owner/rows", form)}, info)


_TURNS = (
    "type: chat_template\n    field_messages: talk\n    message_property_mappings: {role: by, content: said}"
)
CASES = [
    axolotl(
        "turns",
        _TURNS,
        {
            "name": "chat_template",
            "keys": {"messages": "talk"},
            "message_keys": {"role": "by", "content": "said"},
        },
    ),
    axolotl("alpaca, all weights", "type: alpaca", "alpaca", full=True),
    axolotl("alpaca, in a style", "type: alpaca:phi", "alpaca"),
    axolotl("instruct", "type: alpaca_instruct", "alpaca"),
    axolotl("concise", "type: alpaca_chat.load_concise", "alpaca_chat"),
    axolotl("orca", "type: orcamini", "alpaca_w_system"),
    axolotl("llama 2", "type: llama2_chat", "sharegpt"),
    axolotl("questions", "type: alpaca_chat.load_qa", "alpaca_chat.load_qa"),
    axolotl(
        "texts",
        "type: completion\n    field: body",
        {"name": "completion", "keys": {"text": "body"}},
        method="cpt",
    ),
    axolotl("segments", "type: input_output", "input_output"),
    axolotl(
        "own fields",
        "type: {field_instruction: q, field_output: a}",
        {"name": "alpaca", "keys": {"history": "", "tools": "", "instruction": "q", "output": "a"}},
    ),
    axolotl("dpo", "type: chatml.icr", "dpo.icr", method="dpo", more="rl: dpo\n"),
    axolotl(
        "dpo, turns",
        "type: chat_template.default\n    field_chosen: good\n    field_rejected: bad",
        {"name": "dpo.chat_template", "keys": {"chosen": "good", "rejected": "bad"}},
        method="dpo",
        more="rl: dpo\n",
    ),
    axolotl("ranked", "type: zephyr.nectar", "dpo.nectar", method="dpo", more="rl: dpo\n"),
    axolotl("passed through", "type: passthrough", "passthrough", method="dpo", more="rl: ipo\n"),
    axolotl(
        "simpo",
        "type: llama3.prompt_pairs",
        "dpo.prompt_pairs",
        method="dpo",
        more="rl: simpo\nsimpo_gamma: 0.5\n",
    ),
    axolotl(
        "orpo",
        "type: chat_template.argilla",
        "orpo.chat_template",
        method="orpo",
        more="rl: orpo\norpo_alpha: 0.1\n",
    ),
    axolotl("kto", "type: llama3.argilla", "kto.argilla", method="kto", more="rl: kto\n"),
    axolotl(
        "kto, own fields",
        "type: {field_prompt: q, field_completion: a, field_label: good}",
        {"name": "rated", "keys": {"prompt": "q", "completion": "a", "rating": "good"}},
        method="kto",
        more="rl: kto\n",
    ),
    Case(
        "pretraining",
        f"{_MODEL}pretraining_dataset:\n  - path: owner/texts\n    name: en\n",
        "cpt",
        "full",
        {"texts": ("hub:owner/texts", "completion")},
    ),
    factory("alpaca of theirs", "sft", "", "llamafactory.alpaca"),
    factory(
        "documents",
        "pt",
        ', "columns": {"prompt": "body"}',
        {"name": "completion", "keys": {"text": "body"}},
        method="cpt",
    ),
    factory(
        "chats",
        "sft",
        ', "formatting": "sharegpt", "columns": {"messages": "talk", "tools": "tools"}',
        {"name": "llamafactory.sharegpt", "keys": {"messages": "talk", "tools": "tools"}},
    ),
    factory(
        "messages",
        "sft",
        ', "formatting": "openai"',
        {
            "name": "llamafactory.openai",
            "message_keys": {"role": "from", "content": "value"},
            "roles": {"human": "user", "gpt": "assistant", "observation": "tool", "function_call": "call"},
        },
    ),
    factory(
        "pairs",
        "dpo",
        ', "ranking": true, "columns": {"prompt": "q", "chosen": "good", "rejected": "bad"}',
        {
            "name": "llamafactory.alpaca",
            "keys": {"chosen": "good", "rejected": "bad", "input": "", "output": "", "instruction": "q"},
        },
        method="dpo",
    ),
    factory(
        "pairs for orpo",
        "dpo",
        ', "ranking": true',
        {"name": "llamafactory.alpaca", "keys": {"chosen": "chosen", "rejected": "rejected"}},
        method="orpo",
        more="pref_loss: orpo\n",
    ),
    factory(
        "ratings",
        "kto",
        ', "columns": {"prompt": "q", "response": "a", "kto_tag": "good"}',
        {
            "name": "llamafactory.alpaca",
            "keys": {"input": "", "instruction": "q", "output": "a", "rating": "good"},
        },
        method="kto",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_config_becomes_a_project(bench: Bench, case: Case) -> None:
    if case.info:
        bench.write("data/dataset_info.json", case.info)
    file = bench.run(case.text)
    assert (file.train.method, file.train.adapter.kind) == (case.method, case.kind)
    found = {
        name: (source.path, source.form and source.form.model_dump(exclude_unset=True))
        for name, source in file.sources.items()
    }
    whole = {
        name: (path, {"name": form} if isinstance(form, str) else form)
        for name, (path, form) in case.forms.items()
    }
    assert found == whole
    assert [line.key for line in bench.lines if line.why.startswith("unknown")] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{_LORA}rl: grpo\n", "rl: grpo is not among the methods here"),
        (f"{_LORA}process_reward_model: true\n", "process_reward_model trains a process reward model"),
        (
            f"{_LORA}datasets: [{{path: o/a, type: stepwise_supervised}}]\n",
            "no model that rates steps is trained here; form: stepwise reads rated steps as a rated answer",
        ),
        (
            f"{_LORA}reward_model: true\ndatasets: [{{path: o/a, type: bradley_terry.chat_template}}]\n",
            "reward_model trains a reward model",
        ),
        (f"{_FACTORY}stage: rm\ndataset: a\n", "stage: rm is not among the methods here"),
        (f"{_FACTORY}stage: sft\n", "the config names no dataset to train on"),
    ],
)
def test_a_config_that_no_project_can_be_made_of(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        bench.run(text)
    assert not (bench.root / "mine").exists()
