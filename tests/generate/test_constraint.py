"""Answers held to a schema: random models write JSON that keeps it, in any company; what cannot be held is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from asking import prompts, settled
from jsonschema import Draft202012Validator

from tiny import save_model
from tunewright.core.errors import ModelError
from tunewright.core.generation import Decoding
from tunewright.generate.constraint import Constraints
from tunewright.generate.torch import TorchGenerator
from tunewright.models.base import Base, resolve_base
from tunewright.models.template import Renderer

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 6},
        "place": {
            "type": "object",
            "properties": {
                "room": {"type": "integer", "minimum": 1, "maximum": 40},
                "red": {"type": "boolean"},
            },
            "required": ["room"],
            "additionalProperties": False,
        },
        "tags": {"type": "array", "items": {"enum": ["a", "é", "the door"]}, "minItems": 1, "maxItems": 3},
        "mail": {"type": "string", "pattern": "^[a-z]{1,4}@[a-z]{1,4}$"},
    },
    "required": ["name", "tags"],
    "additionalProperties": False,
}
GREEDY = Decoding(max_new_tokens=200, json_schema=SCHEMA)
SAMPLED = Decoding(max_new_tokens=200, json_schema=SCHEMA, temperature=1.5, top_p=0.95, seed=4)


@pytest.fixture(scope="module", params=["qwen3", "llama", "gemma3_text"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Random models; their 430 outputs are more than the tokenizer's tokens, as padded vocabularies are."""
    folder = tmp_path_factory.mktemp(request.param)
    save_model(folder, request.param, vocab_size=430, initializer_range=0.6, tie_word_embeddings=False)
    return resolve_base(str(folder), folder)


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_every_answer_keeps_the_schema(base: Base, decoding: Decoding) -> None:
    generator = TorchGenerator(base)
    free = generator.generate(prompts(20), decoding.model_copy(update={"json_schema": None}))
    check = Draft202012Validator(SCHEMA)
    assert not any(_is_json(reply.text) for reply in free)
    held = generator.generate(prompts(20), decoding)
    values = [json.loads(reply.text) for reply in held]
    assert {reply.finish for reply in held} == {"stop"}
    assert [str(error) for value in values for error in check.iter_errors(value)] == []
    assert [list(value) for value in values] == [
        [key for key in SCHEMA["properties"] if key in v] for v in values
    ]
    assert all(', "tags": [' in reply.text for reply in held)
    assert len({reply.text for reply in held}) > 5


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_row_answers_alone_as_in_company(base: Base, decoding: Decoding) -> None:
    generator = TorchGenerator(base)
    together = settled(generator.generate(prompts(12), decoding))
    assert together == [settled(generator.generate([prompt], decoding))[0] for prompt in prompts(12)]


def test_the_tokens_that_are_left_keep_their_order(tiny_renderer: Renderer) -> None:
    held = Constraints(tiny_renderer).for_schema({"enum": ["yes", "no"]}).hold(2)
    logits = torch.arange(800, dtype=torch.float32).reshape(2, 400)
    masked = held.mask(logits, [0, 1])
    left = masked.isfinite()
    words = {tiny_renderer.tokenizer.decode([token]) for token in left[0].nonzero().flatten().tolist()}
    assert words == {'"'}
    assert torch.equal(masked[left], logits[left])
    quote = tiny_renderer.tokenizer.convert_tokens_to_ids('"')
    held.take([1], [quote])
    after = held.mask(logits, [0, 1]).isfinite()
    assert torch.equal(after[0], left[0])  # nothing was drawn for it
    words = {tiny_renderer.tokenizer.decode([token]) for token in after[1].nonzero().flatten().tolist()}
    assert all("yes".startswith(word) or "no".startswith(word) for word in words)
    assert {"y", "n"} <= words


def test_an_answer_cut_off_says_so(base: Base) -> None:
    (reply,) = TorchGenerator(base).generate(prompts(1), GREEDY.model_copy(update={"max_new_tokens": 3}))
    assert (reply.finish, reply.tokens_out) == ("length", 3)
    assert reply.text.startswith("{")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"name": "Ada", "tags": ["é", "the door"]}', None),
        ('{"name": "Ada", "place": {"room": 40}, "tags": ["a"], "mail": "a@b"}', None),
        ('{"name": "Ada",  "tags": ["a"]}', "after '{\"name\": \"Ada\", ' comes ' \"tags\": [\"a\"]}'"),
        ('{"name": "Ada", "tags": ["a"]', "it ends too early"),
        ('{"tags": ["a"], "name": "Ada"}', "after '{\"' comes 'tags\": [\"a\"], \"name\"'"),
        ('{"name": "Ada", "tags": ["é", "b"]}', "after '\"name\": \"Ada\", \"tags\": [\"é\", \"' comes 'b\"]}'"),
        ("Ada", "it begins 'Ada'"),
    ],
)  # fmt: skip
def test_what_an_answer_could_not_be(tiny_renderer: Renderer, text: str, fault: str | None) -> None:
    assert Constraints(tiny_renderer).for_schema(SCHEMA).fault(text) == fault


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"not": {"type": "string"}}, "Unimplemented keys"),
        ({"type": "string", "pattern": "(?=a)b"}, "regex parse error"),
        ({"$ref": "http://127.0.0.1:9/x"}, "does not fetch"),
        # a schema's own word for the engine does not weaken it
        ({"not": {"type": "string"}, "x-guidance": {"lenient": True}}, "Unimplemented keys"),
        ({"oneOf": [{"type": "string"}, {"minLength": 2}], "x-guidance": {"coerce_one_of": True}}, "oneOf"),
    ],
)
def test_a_schema_that_cannot_be_held(tiny_base: Base, schema: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        TorchGenerator(tiny_base).generate(prompts(1), Decoding(json_schema=schema))
    message = str(caught.value)
    assert message.startswith("task.output.schema: answers cannot be held to this schema (")
    assert said in message
    assert message.endswith("). Set decoding.constrained: false, or change the schema.")
    assert "\n" not in message


def test_an_engine_that_gives_up_is_an_error_of_that_reply(tiny_base: Base) -> None:
    """Patterns whose intersection has more states than the engine takes; nothing of it shows before the answer."""
    patterns = [{"type": "string", "pattern": f"^(.*[a-{chr(99 + i)}].{{{20 + i}}})*$"} for i in range(8)]
    heavy = {
        "type": "object",
        "properties": {"a": {"allOf": patterns}},
        "required": ["a"],
        "additionalProperties": False,
    }
    replies = TorchGenerator(tiny_base).generate(prompts(2), Decoding(json_schema=heavy, max_new_tokens=20))
    assert [(reply.text, reply.finish) for reply in replies] == [("", "error")] * 2
    assert "the schema became too much to hold an answer to: " in (replies[0].error or "")


def test_the_order_of_the_properties_is_another_constraint(tiny_renderer: Renderer) -> None:
    made = Constraints(tiny_renderer)
    parts = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    for names in ("ab", "ba"):
        one, other = names
        constraint = made.for_schema({"type": "object", "properties": {name: parts[name] for name in names}})
        assert constraint.fault(f'{{"{one}": 1, "{other}": 2}}') is None
        assert constraint.fault(f'{{"{other}": 2, "{one}": 1}}') is not None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_the_folder_of_a_base_is_not_written_to(tiny_folder: Path, tiny_base: Base) -> None:
    before = sorted(path.name for path in tiny_folder.iterdir())
    TorchGenerator(tiny_base).generate(prompts(1), GREEDY)
    assert sorted(path.name for path in tiny_folder.iterdir()) == before
