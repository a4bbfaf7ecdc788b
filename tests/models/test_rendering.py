"""What is rendered without copying is what transformers renders, on real templates."""

import json

import pytest

from calls import FOUND, SAYS, TOOLS, call, made
from tunewright.core.message import Message
from tunewright.models import rendering
from tunewright.models.template import SETTINGS


def talks(renderer):
    """What to render: turns, whether a prompt is wanted, tools."""
    asked = {"role": "user", "content": "Where is é? <b>"}
    called = [renderer.calling.shown(call("a").wire()), FOUND.wire(), SAYS.wire()]
    return (
        ([asked], True, None),
        ([asked, {"role": "assistant", "content": ' In "Prague".\n'}], False, None),
        ([{"role": "system", "content": "Be brief."}, asked], True, json.loads(TOOLS)),
        ([asked, *called], False, json.loads(TOOLS)),
    )


@pytest.mark.parametrize(
    "parts", [rendering._PARTS, {"_gone": ()}, {**rendering._PARTS, "_plain_template_data": ("other",)}]
)
@pytest.mark.parametrize("name", ["embedded", "qwen3", "qwen3_training", "llama3_1", "lfm2_2_5"])
def test_as_transformers_renders(monkeypatch, name, parts):
    renderer = made(name)
    told = {**renderer.tokenizer.special_tokens_map, **SETTINGS}
    assert rendering._parts()  # else the test compares transformers' way with itself
    monkeypatch.setattr(rendering, "_PARTS", parts)
    mine = rendering.rendering(renderer._template, told, marked=renderer._marked)
    theirs = rendering._copying(renderer._template, told, renderer._marked)
    for talk in talks(renderer):
        assert mine(*talk) == theirs(*talk)
    if renderer._marked:
        assert mine(*talks(renderer)[1]).spans


def test_a_template_cannot_change_what_it_is_given():
    template = "{%- set _ = messages.append(1) -%}{{ messages | length }}"
    turns = [Message(role="user", content="a").wire()]
    with pytest.raises(Exception, match=r"append|unsafe|not safely callable"):
        rendering.rendering(template, {}, marked=False)(turns, False, None)
    assert len(turns) == 1
