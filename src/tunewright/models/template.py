"""The renderer: conversations to token ids by the base's own chat template, the same for training and for serving.

    renderer = Renderer(load_tokenizer(base))
    renderer.prompt(conversation)      ids to answer
    renderer.training(conversation)    ids, and which of them are trained: the answers with their end-of-turn tokens
    renderer.document(text)            ids of a text without the template, all trained but the first

Where a template has no system role (Gemma's), the system prompt stands at the head of the first question.

Two things are kept true that plain tokenising gets wrong. The ids of a prompt are a prefix of the ids of its training
row, also where a merge would reach across the seam. And a control token's name inside a message (`<|im_end|>` in a
ticket) is spelled out as text: only the template writes control tokens.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any, NamedTuple

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import render_jinja_template

from tunewright.core.errors import ModelError
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, Message

SETTINGS = {"enable_thinking": False}
"""What templates are told besides the messages: answers come without a thinking part."""

_SHORT, _SECTION, _REMEMBERED = 64, 4000, 256
"""Texts and sections of so many characters are remembered with their ids, and so many of them."""
_TRIED, _PROBES = 4, ("", "a b", " x\n", "\n\nÉ1 ")
"""Control tokens, and texts after them, that sections are tried on."""
_PRIVATE_USE = range(0xE000, 0xF8FF)


class Rendered(NamedTuple):
    """A training row: token ids [T], and a mask [T] that is 1 on the tokens to be trained."""

    ids: list[int]
    mask: list[int]


_Span = tuple[int, int]


class _Text(NamedTuple):
    """A rendered conversation: its text with `seal` inside control words, and each answer's span of characters.

    The span is none where the template shows the answer in another way than a prompt before it would have led to.
    """

    text: str
    seal: str
    spans: list[_Span | None]


class Renderer:
    """Renders conversations with one tokenizer and its chat template.

    Raises ModelError at once where there is no template, or where it closes an answer with no control token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        if not tokenizer.chat_template:
            fix = "Choose an instruction-tuned base, or put a chat_template.jinja beside its tokenizer."
            raise ModelError("The base's tokenizer has no chat template.", fix=fix)
        self.tokenizer: Any = tokenizer
        self._tokenizer: Any = deepcopy(self.tokenizer.backend_tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._section = lru_cache(maxsize=_REMEMBERED)(self._encoded)
        self._known: dict[str, tuple[int, ...]] = {}
        self._template: str = tokenizer.get_chat_template()
        self._marked = re.search(r"\{%-?\s*generation\s*-?%\}", self._template) is not None
        self._control = {
            token.content: number for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        words = sorted(self._control, key=len, reverse=True)
        self._control_pattern = re.compile("|".join(map(re.escape, words)) if words else r"(?!)")
        self._control_ids = frozenset(self._control.values())
        self._sections = self._falls_into_sections()
        self.folds_system = False
        self.end_of_turn = self._find_end_of_turn()
        self.folds_system = not self._takes(
            Message(role="system", content="a"), Message(role="user", content="b")
        )
        eos = tokenizer.eos_token_id
        self._stops = frozenset({self.end_of_turn} | ({eos} if eos is not None else set()))

    @property
    def stop_ids(self) -> frozenset[int]:
        """Ids that end an answer: the template's end-of-turn, and the tokenizer's end-of-sequence."""
        return self._stops

    @property
    def control_ids(self) -> frozenset[int]:
        """Ids of the control tokens, which only the template may write."""
        return self._control_ids

    @property
    def template_hash(self) -> str:
        """Hash of the template and of what it is told."""
        return hash_value([self._template, SETTINGS])

    def prompt(self, conversation: Conversation) -> list[int]:
        """Token ids that end where the answer begins. Raises ModelError where the template refuses the messages."""
        rendered = self._render(conversation, answering=True)
        return self._encode(rendered)[0]

    def training(self, conversation: Conversation) -> Rendered:
        """Ids and mask of a whole conversation; answers of weight 0 stay untrained.

        Raises ModelError where the template refuses the messages, or shows an answer otherwise than it will be served.
        """
        rendered = self._render(conversation, answering=False)
        ids, starts = self._encode(rendered)
        mask = [0] * len(ids)
        answers = [message for message in conversation if message.role == "assistant"]
        for message, span in zip(answers, rendered.spans, strict=True):
            if message.weight == 0:
                continue
            if span is None:
                fix = 'Give the earlier answers of such rows "weight": 0, or train them as rows of their own.'
                raise ModelError(
                    "The chat template shows an answer in training otherwise than in serving.", fix=fix
                )
            self._mark(mask, ids, starts, span)
        return Rendered(ids, mask)

    def document(self, text: str) -> Rendered:
        """Ids and mask of a text that no template frames, with an end-of-sequence token and, where the tokenizer begins
        with one by itself, a beginning-of-sequence token. Control words are spelled out.

        A tokenizer without an end-of-sequence token ends the text with the template's end of turn.
        """
        message = Message(role="assistant", content=text)
        seal = _unused((message,))
        pieces = self._sealed(message, seal).content.split(seal)
        ids = [*self.begin_ids, *chain(*(self._encoded(piece)[0] for piece in pieces)), self.end_of_text]
        return Rendered(ids, [0] + [1] * (len(ids) - 1))

    @property
    def begin_ids(self) -> list[int]:
        """What the tokenizer begins a text with by itself: its beginning-of-sequence token, or nothing."""
        first: list[int] = self.tokenizer("a")["input_ids"][:1]
        return first if first == [self.tokenizer.bos_token_id] else []

    @property
    def end_of_text(self) -> int:
        """The id that ends a document: the tokenizer's end-of-sequence, else the template's end of turn."""
        eos: int | None = self.tokenizer.eos_token_id
        return self.end_of_turn if eos is None else eos

    def decode(self, ids: Sequence[int]) -> str:
        """The text of an answer's ids, without the stop token at its end. Other control tokens stay visible."""
        body = list(ids)
        while body and body[-1] in self._stops:
            body.pop()
        text: str = self.tokenizer.decode(body, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def control_words(self, text: str) -> list[str]:
        """The control tokens whose names stand in `text`."""
        return self._control_pattern.findall(text)

    def text(self, conversation: Conversation, *, answering: bool = False) -> str:
        """The text the template makes of a conversation, for people to read."""
        rendered = self._render(conversation, answering=answering)
        return rendered.text.replace(rendered.seal, "")

    def _mark(self, mask: list[int], ids: list[int], starts: list[int], span: _Span) -> None:
        """Set the mask over a span of characters, through the end-of-turn token and no further."""
        first = bisect_left(starts, span[0])
        last = bisect_left(starts, span[1], first)
        stops = [i for i in range(first, min(last + 1, len(ids))) if ids[i] in self._stops]
        if stops:
            last = stops[-1] + 1
        mask[first:last] = [1] * (last - first)

    def _encode(self, rendered: _Text) -> tuple[list[int], list[int]]:
        """Ids and the character each begins at, cut where a prompt ends and where a control word must be broken."""
        text, seal, spans = rendered
        seals = [match.start() for match in re.finditer(re.escape(seal), text)]
        if not seals:
            whole = self._tokens(text, 0)
            cuts = [span[0] for span in spans if span and not self._is_prefix(text[: span[0]], *whole)]
            if not cuts:
                return whole
        else:
            cuts = [span[0] for span in spans if span]
        ids: list[int] = []
        starts: list[int] = []
        edges = sorted({0, len(text), *cuts, *seals})
        for begin, end in pairwise(edges):
            skip = 1 if text.startswith(seal, begin) else 0
            piece = self._tokens(text[begin + skip : end], begin + skip)
            ids += piece[0]
            starts += piece[1]
        return ids, starts

    def _tokens(self, text: str, offset: int) -> tuple[list[int], list[int]]:
        """Ids and the character each begins at. Sections that many rows have alike (the system prompt) are remembered."""
        edges = [0, len(text)]
        if self._sections:
            edges = sorted({*edges, *(found.start() for found in self._control_pattern.finditer(text))})
        ids: list[int] = []
        starts: list[int] = []
        for begin, end in pairwise(edges):
            encode = self._section if end - begin <= _SECTION else self._encoded
            own, at = encode(text[begin:end])
            ids += own
            starts += [offset + begin + start for start in at] if offset + begin else at
        return ids, starts

    def _encoded(self, text: str) -> tuple[list[int], list[int]]:
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return found.ids, [start for start, _ in found.offsets]

    def _falls_into_sections(self) -> bool:
        """Whether a text's ids are those of its sections, each from a control token on: some tokenizers look further."""
        if any(map(self._looks_around, self._tokenizer.get_added_tokens_decoder().values())):
            return False
        tails = [word + text for word in list(self._control)[:_TRIED] for text in _PROBES]
        return bool(tails) and all(
            self._encoded(head + tail)[0] == self._encoded(head)[0] + self._encoded(tail)[0]
            for head in ("", "a ", *tails)
            for tail in tails
        )

    def _looks_around(self, token: Any) -> bool:
        """Whether an added token depends on what stands before the section that it begins, or after the one that it ends.

        One that takes the blanks after it (Phi-3's) does so only where another begins with a blank.
        """
        if token.single_word or (token.rstrip and any(word[:1].isspace() for word in self._control)):
            return True
        return token.special and (
            token.lstrip or (token.normalized and self._tokenizer.normalizer is not None)
        )

    def _is_prefix(self, head: str, ids: list[int], starts: list[int]) -> bool:
        """Whether the text that begins with `head`, `ids` that begin at the characters `starts`, begins with its ids.

        No merge reaches across a control token, so what stands before the head's last one is the same in both.
        """
        last = max(map(head.rfind, self._control), default=-1)
        if last >= 0:
            tail, begin = self._ids(head[last:]), bisect_left(starts, last)
            if begin < len(ids) and starts[begin] == last and tuple(ids[begin : begin + len(tail)]) == tail:
                return True
        prefix = self._ids(head)
        return tuple(ids[: len(prefix)]) == prefix

    def _ids(self, text: str) -> tuple[int, ...]:
        """The ids of a text; short ones, which many rows have alike, are remembered."""
        if text not in self._known:
            found = tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
            if len(text) > _SHORT or len(self._known) >= _REMEMBERED:
                return found
            self._known[text] = found
        return self._known[text]

    def _render(self, conversation: Conversation, *, answering: bool) -> _Text:
        if self.folds_system:
            conversation = _folded(conversation)
        seal = _unused(conversation)
        sealed = tuple(self._sealed(message, seal) for message in conversation)
        text, marked = self._apply(sealed, answering)
        spans: list[_Span | None] = [*marked] if self._marked else self._spans_by_prefix(sealed, text)
        answers = sum(message.role == "assistant" for message in conversation)
        if len(spans) != answers:
            message = f"The chat template marks {len(spans)} answers where the row has {answers}."
            raise ModelError(
                message, fix="Put {% generation %} around what the model is to say in the template."
            )
        return _Text(text, seal, spans)

    def _sealed(self, message: Message, seal: str) -> Message:
        """The message with `seal` after the first character of every control word, so that it cannot be read as one."""
        if not self._control_pattern.search(message.content):
            return message
        broken = self._control_pattern.sub(lambda found: found[0][0] + seal + found[0][1:], message.content)
        return message.model_copy(update={"content": broken})

    def _apply(self, conversation: Conversation, answering: bool) -> tuple[str, list[_Span]]:
        try:
            render: Any = render_jinja_template
            texts, spans = render(
                conversations=[[message.wire() for message in conversation]],
                chat_template=self._template,
                return_assistant_tokens_mask=self._marked,
                add_generation_prompt=answering,
                **self.tokenizer.special_tokens_map,
                **SETTINGS,
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            roles = ", ".join(message.role for message in conversation)
            raise ModelError(f"The chat template refuses a conversation of {roles} ({error}).") from error
        return texts[0], [tuple(span) for span in spans[0]] if self._marked else []

    def _spans_by_prefix(self, conversation: Conversation, text: str) -> list[_Span | None]:
        """The answers' spans in a template without markers: each begins where the prompt before it ends."""
        spans: list[_Span | None] = []
        for index, message in enumerate(conversation):
            if message.role == "assistant":
                head, _ = self._apply(conversation[:index], answering=True)
                answer = message.content.strip()
                found = text.find(answer, len(head)) if text.startswith(head) else -1
                spans.append((len(head), found + len(answer)) if found >= 0 else None)
        return spans

    def _takes(self, *messages: Message) -> bool:
        try:
            self._apply(messages, answering=True)
        except ModelError:
            return False
        return True

    def _find_end_of_turn(self) -> int:
        """The control token that the template puts after an answer."""
        probe = (Message(role="user", content="a"), Message(role="assistant", content="b"))
        rendered = self._render(probe, answering=False)
        begin, end = rendered.spans[0] or (0, 0)
        found = self._control_pattern.search(rendered.text, max(rendered.text.find("b", begin, end), begin))
        if found is None:
            fix = "Add the end-of-turn token to its chat template."
            raise ModelError(
                "The chat template ends an answer with no control token: it would never stop.", fix=fix
            )
        return self._control[found[0]]


def _folded(conversation: Conversation) -> Conversation:
    """The conversation with its system prompt at the head of the first question, for templates without that role."""
    if (
        len(conversation) < 2
        or conversation[0].role not in ("system", "developer")
        or conversation[1].role != "user"
    ):
        return conversation
    system, first, *rest = conversation
    return (first.model_copy(update={"content": f"{system.content}\n\n{first.content}"}), *rest)


def _unused(conversation: Conversation) -> str:
    """A private-use character that no message holds."""
    return next(
        letter
        for letter in map(chr, _PRIVATE_USE)
        if not any(letter in message.content for message in conversation)
    )
