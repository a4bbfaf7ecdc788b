"""TorchGenerator: a base, perhaps with an adapter, answering under torch.

generator = TorchGenerator(resolve_base("embedded", root), adapter=None)
generator.generate([prompt], Decoding(max_new_tokens=64))
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from tunewright.core.errors import ModelError
from tunewright.core.generation import Decoding, OnReply, Reply
from tunewright.core.message import Conversation
from tunewright.generate.constraint import Constraints
from tunewright.generate.decode import Answer, decode, keeps_beginning
from tunewright.generate.partition import cache_tokens, cut_batches
from tunewright.generate.sampling import Picker
from tunewright.models.base import Base
from tunewright.models.load import is_whole, load_model, load_tokenizer
from tunewright.models.template import Renderer

MERGE_TOLERANCE = 1e-4
"""Largest difference of the logits, relative to the largest logit, that merging an adapter may make."""


class TorchGenerator:
    """Answers with a transformers model, in batches. Raises ModelError where base or adapter cannot be loaded."""

    def __init__(self, base: Base, adapter: Path | None = None, *, threads: int | None = None) -> None:
        """`threads` sets torch's thread count for the whole process; None leaves it."""
        if threads is not None:
            torch.set_num_threads(threads)
        self._take(load_for_inference(base, adapter), Renderer(load_tokenizer(base, adapter)))

    @classmethod
    def around(cls, model: Any, renderer: Renderer) -> "TorchGenerator":
        """A generator around a model in memory: it answers as the model's weights stand when it is asked."""
        self = cls.__new__(cls)
        self._take(model, renderer)
        return self

    def _take(self, model: Any, renderer: Renderer) -> None:
        self._model, self._renderer = model, renderer
        self._constraints = Constraints(renderer)
        self._cache_tokens = cache_tokens(self._model)
        config = self._model.config.get_text_config()
        self._positions: int | None = getattr(config, "max_position_embeddings", None)
        self._once: bool | None = None

    def generate(
        self,
        conversations: Sequence[Conversation],
        decoding: Decoding,
        on_reply: OnReply | None = None,
        *,
        most: Sequence[int] | None = None,
    ) -> list[Reply]:
        """One reply for each conversation, in order. A prompt that does not fit the model gets an error reply.

        `most` are the tokens that each answer may have, where that is less than the decoding's. Raises ModelError where
        answers cannot be held to the decoding's schema.
        """
        prompts: dict[int, list[int]] = {}
        replies: dict[int, Reply] = {}

        def settle(index: int, reply: Reply) -> None:
            replies[index] = reply
            if on_reply:
                on_reply(index, reply)

        for index, conversation in enumerate(conversations):
            prompt = self._prompt(conversation)
            if isinstance(prompt, Reply):
                settle(index, prompt)
            else:
                prompts[index] = prompt
        indices = list(prompts)
        asked, new = [prompts[index] for index in indices], decoding.max_new_tokens
        if self._once is None:
            self._once = keeps_beginning(self._model)
        for batch in cut_batches(asked, new, self._cache_tokens, once=self._once):
            some = {indices[place]: prompts[indices[place]] for place in batch}
            self._answer(some, decoding, settle, [new if most is None else most[index] for index in some])
        return [replies[index] for index in range(len(conversations))]

    @property
    def template_hash(self) -> str:
        """Hash of the chat template that prompts are rendered by, and of what it is told."""
        return self._renderer.template_hash

    def _prompt(self, conversation: Conversation) -> list[int] | Reply:
        try:
            prompt = self._renderer.prompt(conversation)
        except ModelError as error:
            return _failure(str(error), 0)
        if self._positions is not None and len(prompt) >= self._positions:
            return _failure(
                f"the prompt has {len(prompt)} tokens, and the model takes fewer than {self._positions}",
                len(prompt),
            )
        return prompt

    def _answer(
        self, prompts: dict[int, list[int]], decoding: Decoding, settle: OnReply, most: Sequence[int]
    ) -> None:
        indices, batch = list(prompts), list(prompts.values())
        schema = decoding.json_schema
        held = None if schema is None else self._constraints.for_schema(schema).hold(len(batch))
        room = [
            min(decoding.max_new_tokens, own, self._room(prompt))
            for own, prompt in zip(most, batch, strict=True)
        ]

        def finish(row: int, answer: Answer) -> None:
            if held and (problem := held.problem(row)):
                settle(indices[row], _failure(problem, len(batch[row])))
                return
            text = self._renderer.decode(answer.ids)
            end: Literal["stop", "length"] = "stop" if answer.stopped else "length"
            settle(indices[row], Reply(text, len(batch[row]), len(answer.ids), answer.seconds, end))

        decode(
            self._model,
            batch,
            room,
            self._renderer.stop_ids,
            Picker(decoding, batch, held),
            finish,
            once=bool(self._once),
        )

    def _room(self, prompt: Sequence[int]) -> int:
        return self._positions - len(prompt) if self._positions is not None else 1 << 30


def load_for_inference(base: Base, adapter: Path | None) -> Any:
    """The model to answer with, an adapter merged into its weights where that changes nothing but the speed.

    Merging spares each linear layer two small products. In 16-bit weights it would round the update away, so there the
    adapter stays apart; in fp32 the logits of a probe are compared before and after.
    """
    model = load_model(base, adapter=adapter)
    if adapter is None or is_whole(adapter) or next(model.parameters()).dtype != torch.float32:
        return model
    before = _probe(model)
    merged = model.merge_and_unload()
    if bool((_probe(merged) - before).abs().max() <= MERGE_TOLERANCE * before.abs().max()):
        return merged
    return load_model(base, adapter=adapter)


@torch.inference_mode()
def _probe(model: Any) -> torch.Tensor:
    """Logits [1, 32, vocabulary] over tokens spread through the vocabulary."""
    size = model.config.get_text_config().vocab_size
    ids = torch.arange(32, device=model.device)[None] * 7919 % size
    logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits
    return logits


def _failure(message: str, tokens_in: int) -> Reply:
    return Reply("", tokens_in, 0, 0.0, "error", message)
