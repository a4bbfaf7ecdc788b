"""The renderer: conversations to token ids by the base's own chat template, the same for training and for serving.

    renderer = Renderer(load_tokenizer(base))
    renderer.prompt(conversation)      ids to answer
    renderer.training(conversation)    ids, and which of them are trained: the answers with their end-of-turn tokens
    renderer.trainings(conversations)  the same of several, faster
    renderer.document(text)            ids of a text without the template, all trained but the first

Where a template has no system role (Gemma's), the system prompt stands at the head of the first question. A
conversation's tools, calls and tools' answers are rendered as the template wants them (models/calling.py); one that does not
show them is refused.

Answers come without a thinking part, and rows are held to it (models/thinking.py).

Two things are kept true that plain tokenising gets wrong. The ids of a prompt are a prefix of the ids of its training
row, also where a merge would reach across the seam. And a control token's name inside a message (`<|im_end|>` in a
ticket) is spelled out as text: only the template writes control tokens. So is, in tools, calls, tools' answers and what is
asked beside tools, a token that the template writes around those (Qwen's `<tool_call>`, which is no control token).
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import Any, NamedTuple

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from tunewright.core.errors import ModelError
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, Message, last_answer_trained, tools_of
from tunewright.models import thinking
from tunewright.models.calling import Calling, Turn, probe_calling, probe_marks
from tunewright.models.rendering import Rendering, Shown, rendering

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
_Tools = list[Any] | None


class UnseenError(ModelError):
    """The chat template does not show tools, calls or tools' answers that the conversation has."""


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
        self._control_pattern = _any_of(self._control)
        self._control_ids = frozenset(self._control.values())
        self._sections = self._falls_into_sections()
        self.folds_system = False
        self.end_word = self._find_end_of_turn()
        self.end_of_turn = self._control[self.end_word]
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
        return self._masked(conversation, self._render(conversation, answering=False))

    def trainings(self, conversations: Sequence[Conversation]) -> list[Rendered]:
        """The same of several, the texts of all before the ids of any.

        The template and the tokenizer each drive the other out of the processor's caches: going to and fro between them
        row by row costs a seventh of the time. Raises ModelError where one of them would.
        """
        texts = [self._render(conversation, answering=False) for conversation in conversations]
        return [self._masked(*row) for row in zip(conversations, texts, strict=True)]

    def _masked(self, conversation: Conversation, rendered: _Text) -> Rendered:
        """Ids and mask of a conversation whose text is rendered."""
        ids, starts = self._encode(rendered)
        mask = [0] * len(ids)
        answers = [message for message in conversation if message.role == "assistant"]
        for message, span in zip(answers, rendered.spans, strict=True):
            if message.weight == 0:
                continue
            if self.closes_thinking and thinking.thinks(self.said(message.content)):
                raise thinking.ThinkingError
            if span is None:
                raise thinking.ServedOtherwiseError(last=message is answers[-1])
            self._mark(mask, ids, starts, span)
        return Rendered(ids, mask)

    def document(self, text: str) -> Rendered:
        """Ids and mask of a text that no template frames, with an end-of-sequence token and, where the tokenizer begins
        with one by itself, a beginning-of-sequence token. Control words are spelled out.

        A tokenizer without an end-of-sequence token ends the text with the template's end of turn.
        """
        seal = _unused((Message(role="assistant", content=text),))
        pieces = self._sealed(text, seal, self._control_pattern).split(seal)
        ids = [*self.begin_ids, *chain(*(self._encoded(piece)[0] for piece in pieces)), self.end_of_text]
        return Rendered(ids, [0] + [1] * (len(ids) - 1))

    @cached_property
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

    @property
    def closes_thinking(self) -> bool:
        """Whether the template ends a prompt with a thinking part that is over, so that the answer has none."""
        return self._closing is not None

    @cached_property
    def _closing(self) -> str | None:
        """The blanks after that thinking part; none where a prompt ends with no such part."""
        try:
            prompt, _ = self._apply([{"role": "user", "content": "a"}], True, None)
        except ModelError:
            return None
        return thinking.closing(prompt)

    def said(self, answer: str) -> str:
        """An answer as it is trained: without the empty thinking part that the prompt has already."""
        return thinking.without_empty(answer) if self.closes_thinking else answer

    def control_words(self, text: str) -> list[str]:
        """The control tokens whose names stand in `text`."""
        return self._control_pattern.findall(text)

    def answer(self, conversation: Conversation) -> str:
        """What the model writes where it says the last message: its text, and calls in the template's form."""
        ids, mask = self.training(last_answer_trained(conversation))
        return self.decode([token for token, on in zip(ids, mask, strict=True) if on])

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
        exact = [edge for span in spans if span for edge in span]
        seals = [match.start() for match in re.finditer(re.escape(seal), text)]
        if not seals:
            whole = self._tokens(text, 0, exact)
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
            piece = self._tokens(text[begin + skip : end], begin + skip, exact)
            ids += piece[0]
            starts += piece[1]
        return ids, starts

    def _tokens(self, text: str, offset: int, exact: Sequence[int] = ()) -> tuple[list[int], list[int]]:
        """Ids and the character each begins at; the text itself begins at `offset`.

        Sections that many rows have alike (the system prompt) are remembered. In a section that no character of `exact`
        falls into, its own beginning stands for each of its tokens': telling them apart takes time, and nobody asks.
        """
        edges = [0, len(text)]
        if self._sections:
            edges[1:1] = [found.start() for found in self._control_pattern.finditer(text) if found.start()]
        ids: list[int] = []
        starts: list[int] = []
        for begin, end in pairwise(edges):
            encode = self._section if end - begin <= _SECTION else self._encoded
            first, last = offset + begin, offset + end
            inside = False
            for place in exact:  # a loop: `any` of a generator takes five times as long for the few there are
                if first < place < last:
                    inside = True
            own, offsets = encode(text[begin:end], inside)
            ids += own
            starts += [first + start for start in offsets] if inside else [first] * len(own)
        return ids, starts

    def _encoded(self, text: str, placed: bool = False) -> tuple[list[int], Sequence[int]]:
        """Ids and, where they are to be `placed`, the character that each begins at."""
        if placed:
            found = self._tokenizer.encode(text, add_special_tokens=False)
            return found.ids, [start for start, _ in found.offsets]
        (found,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        return found.ids, ()

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

    @cached_property
    def calling(self) -> Calling:
        """How the template shows tools and calls, found out by trying."""
        return probe_calling(self._probed)

    @cached_property
    def _marked_pattern(self) -> re.Pattern[str]:
        """Control words, and the added tokens beside them that the template writes around tools and calls."""
        added = self.tokenizer.added_tokens_decoder.values()
        others = [token.content for token in added if token.content not in self._control]
        words = [*self._control, *probe_marks(self._probed, self.calling, others)]
        return _any_of(words)

    def _probed(self, turns: list[Turn], tools: _Tools) -> str:
        return self._apply(turns, False, tools)[0]

    def _render(self, conversation: Conversation, *, answering: bool) -> _Text:
        if any(message.role == "tool" or not message.is_plain for message in conversation):
            self._refuse_unseen(conversation)
        tools = tools_of(conversation)
        seal = _unused(conversation)  # before folding, which drops the message that may carry the tools
        if self.folds_system:
            conversation = _folded(conversation)
        sealed = [self._turn(message, seal, tools is not None) for message in conversation]
        held = None if tools is None else self._sealed(json.loads(tools), seal, self._marked_pattern)
        text, marked = self._apply(sealed, answering, held)
        if self._closing is not None:  # markers may stand around what the prompt has already
            marked = [(thinking.after_empty(text, begin, self._closing), end) for begin, end in marked]
        spans: list[_Span | None] = [*marked] if self._marked else self._spans_by_prefix(sealed, held, text)
        answers = sum(message.role == "assistant" for message in conversation)
        if len(spans) != answers:
            message = f"The chat template marks {len(spans)} answers where the row has {answers}."
            raise ModelError(
                message, fix="Put {% generation %} around what the model is to say in the template."
            )
        return _Text(text, seal, spans)

    def _refuse_unseen(self, conversation: Conversation) -> None:
        """Raises UnseenError where the template would leave out what the conversation has: it would be learnt without."""
        unseen = {
            "tools": tools_of(conversation) is not None and not self.calling.tools,
            "calls": any(turn.tool_calls for turn in conversation) and not self.calling.calls,
            "answers of tools": any(turn.role == "tool" for turn in conversation)
            and not self.calling.answers,
        }
        if any(unseen.values()):
            names = " and ".join(name for name, missing in unseen.items() if missing)
            raise UnseenError(
                f"The chat template shows no {names}.", fix="Choose a base whose chat template does."
            )

    def _turn(self, message: Message, seal: str, with_tools: bool) -> Turn:
        """The message as the template is given it, sealed.

        What the assistant says may hold a call as text; what it is asked beside tools, and tools answer, may not.
        """
        row = message.wire()
        if message.role == "assistant":
            row["content"] = self.said(row["content"])
        if message.is_plain and not with_tools and message.role != "tool":
            row["content"] = self._sealed(row["content"], seal, self._control_pattern)
            return row
        shown: Turn = self.calling.shown(row) if message.tool_calls else row
        others = message.role == "tool" or (with_tools and message.role == "user")
        return {
            key: value
            if key == "role"
            else self._sealed(
                value,
                seal,
                self._marked_pattern if others or key == "tool_calls" else self._control_pattern,
            )
            for key, value in shown.items()
        }

    def _sealed(self, value: Any, seal: str, words: re.Pattern[str]) -> Any:
        """The value with `seal` after the first character of each of the words in it, so that none can be read as one."""
        if isinstance(value, str):
            return words.sub(lambda found: found[0][0] + seal + found[0][1:], value)
        if isinstance(value, list):
            return [self._sealed(item, seal, words) for item in value]
        if isinstance(value, dict):
            return {
                self._sealed(key, seal, words): self._sealed(item, seal, words) for key, item in value.items()
            }
        return value

    @cached_property
    def _rendering(self) -> Rendering:
        told = {**self.tokenizer.special_tokens_map, **SETTINGS}
        return rendering(self._template, told, marked=self._marked)

    def _apply(self, turns: Sequence[Turn], answering: bool, tools: _Tools) -> Shown:
        try:
            return self._rendering(turns, answering, tools)
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            roles = ", ".join(turn["role"] for turn in turns)
            raise ModelError(f"The chat template refuses a conversation of {roles} ({error}).") from error

    def _spans_by_prefix(self, turns: list[Turn], tools: _Tools, text: str) -> list[_Span | None]:
        """The answers' spans in a template without markers: each begins where the prompt before it ends."""
        spans: list[_Span | None] = []
        for index, turn in enumerate(turns):
            if turn["role"] == "assistant":
                head, _ = self._apply(turns[:index], True, tools)
                end = -1
                if text.startswith(head):
                    end = self._end_of_answer(turns[: index + 1], tools, text, len(head))
                spans.append((len(head), end) if end >= 0 else None)
        return spans

    def _end_of_answer(self, turns: list[Turn], tools: _Tools, text: str, begin: int) -> int:
        """Where in `text` the last of `turns`, whose answer begins at `begin`, has said all; -1 where it is not there.

        A call is shown in the template's own words: they are what the text has in common with these turns rendered alone.
        """
        if "tool_calls" not in turns[-1]:
            answer = turns[-1]["content"].strip()
            found = text.find(answer, begin)
            return found + len(answer) if found >= 0 else -1
        alone, _ = self._apply(turns, False, tools)
        if not alone.startswith(text[:begin]):
            return -1
        pairs = enumerate(zip(text[begin:], alone[begin:], strict=False), begin)
        same = next((at for at, (a, b) in pairs if a != b), min(len(text), len(alone)))
        return text.rfind(self.end_word, begin, same)

    def _takes(self, *messages: Message) -> bool:
        try:
            self._apply([message.wire() for message in messages], True, None)
        except ModelError:
            return False
        return True

    def _find_end_of_turn(self) -> str:
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
        return found[0]


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the words, the longest that fits."""
    longest = sorted(words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)) if longest else r"(?!)")


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
    texts = "".join(
        message.content if message.is_plain else message.model_dump_json() for message in conversation
    )
    return next(letter for letter in map(chr, _PRIVATE_USE) if letter not in texts)
