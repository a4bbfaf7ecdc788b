"""A project whose rows have tools, calls and tools' answers, whole, on the embedded base."""

import json
from pathlib import Path
from typing import Any

import pytest

import tunewright
from tiny import save_model
from tunewright.core.message import tools_of, with_system
from tunewright.data.freeze import load_part
from tunewright.evals.io import load_scorecard
from tunewright.generate.prompted import Prompted
from tunewright.generate.torch import TorchGenerator
from tunewright.models.base import resolve_base

SYSTEM = "Answer the customer."
PROJECT = f"""\
name: shop
task: {{system: {SYSTEM}}}
sources: {{rows: {{path: rows.jsonl}}}}
suites:
  target: {{examples: test, graders: [{{type: exact_match}}]}}
  general: {{examples: general, limit: 12}}
baselines: {{few_shot: [1]}}
decoding: {{max_new_tokens: 32}}
train: {{epochs: 8, batch_tokens: 512, adapter: {{rank: 8}}}}
"""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find",
            "parameters": {
                "type": "object",
                "properties": {"what": {"type": "string"}},
                "required": ["what"],
            },
        },
    }
]


def write_project(folder: Path) -> Path:
    """48 questions that are answered by a call, and 16 by what the tool said."""
    folder.mkdir()
    rows = list[dict[str, Any]]()
    things = ("lamp", "chair", "bag", "kettle", "clock", "table", "radio", "phone")
    for number, thing in enumerate(things * 6):
        asked = {
            "role": "user",
            "content": f"{('Where is', 'Find', 'I need', 'Show me', 'Have you', 'Get')[number // 8]} the {thing}?",
        }
        function = {"name": "find", "arguments": json.dumps({"what": thing})}
        call = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        }
        rows.append({"messages": [asked, call], "tools": TOOLS})
        if number < 16:
            found = {"role": "tool", "tool_call_id": "c1", "content": f"room {number % 4}"}
            says = {"role": "assistant", "content": f"It is in room {number % 4}."}
            rows.append({"messages": [asked, {**call, "weight": 0.5}, found, says], "tools": TOOLS})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tunewright.yaml").write_text(PROJECT)
    return folder


@pytest.mark.usefixtures("one_thread")
def test_from_calls_to_a_verdict(tmp_path: Path) -> None:
    project = tunewright.open(write_project(tmp_path / "shop"))
    checked = project.check()
    assert (checked.problems, checked.warnings) == ([], [])
    result = project.run()
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    assert json.loads(made["gate"].file("gate.json").read_text())["problems"] == []
    assert result.verdict is not None

    base = resolve_base("embedded", tmp_path)
    generator = TorchGenerator(base, made["train"].file("adapter"))
    renderer = generator._renderer
    test = load_part(made["split"].path, "test")
    card = load_scorecard(made["evaluate"].file("cards/fine-tune--target.jsonl"))
    replies = {reply.example: reply for reply in card.replies}
    assert {bool(example.messages[-1].tool_calls) for example in test} == {True, False}
    for example in test:
        assert json.loads(tools_of(example.messages)) == TOOLS
        served = renderer.prompt(Prompted(generator, SYSTEM).prompt(example.prompt))
        ids, mask = renderer.training(with_system(example.messages, SYSTEM))
        last = len(mask) - mask[::-1].index(1)
        assert served == ids[: len(served)]
        answer = renderer.decode(ids[len(served) : last])
        if example.messages[-1].tool_calls:
            thing = json.loads(example.messages[-1].tool_calls[0].function.arguments)["what"]
            assert answer == f'<tool_call>{{"name": "find", "arguments": {{"what": "{thing}"}}}}</tool_call>'
        reply = replies[example.id]
        assert reply.tokens_in == len(served)
        assert reply.scores["exact_match"].value == (reply.text.strip() == answer)
    called = [replies[example.id] for example in test if example.messages[-1].tool_calls]
    assert any(reply.scores["exact_match"].value for reply in called)
    project.report()


def test_a_base_whose_template_shows_no_tools(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "shop")
    save_model(tmp_path / "base")
    with pytest.raises(tunewright.UserError, match="template leaves out") as caught:
        tunewright.open(folder, settings={"base": str(tmp_path / "base")}).run(upto="gate")
    assert "The chat template shows no tools and calls" in str(caught.value)
