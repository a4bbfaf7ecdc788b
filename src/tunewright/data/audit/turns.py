"""What is odd about turns: their order, system prompts that nearly agree, and templates that stand in the text."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.data.audit.recipes import without
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.normal import normal_text

_MOST_PROMPTS = 2000
"""System prompts that are told apart; more are rows' own texts, not prompts."""
_COMPARED = 60
"""Of these, the most frequent ones that are held against each other."""
_LONGEST, _SHORT, _LITTLE, _SLIPPED = 2000, 4, 4, 60
"""Characters of a prompt that are compared; words below which only equal ones are alike; letters of a little word; the
most letters in which a slip is looked for."""
_NEAR = 0.75
"""How alike words are that differ by a slip. Our own choice: one letter in four to six."""
_LETTERS = re.compile(r"\w+")
_WORDS = re.compile(
    # ChatML and Qwen; Llama 2 and Mistral; Llama 3; Gemma; Phi, Zephyr; gpt-oss; DeepSeek; Command R; plain templates
    r"<\|(?:im_start|im_end|im_sep|endoftext|begin_of_text|end_of_text|eot_id|eom_id|start_header_id|end_header_id|python_tag"
    r"|system|user|assistant|end|endofprompt|start|message|channel|return|call|fim_\w{3,8}|START_OF_TURN_TOKEN|END_OF_TURN_TOKEN)\|>"
    r"|\[/?INST\]|<</?SYS>>|\[(?:TOOL_CALLS|AVAILABLE_TOOLS|/AVAILABLE_TOOLS|TOOL_RESULTS|/TOOL_RESULTS)\]"
    r"|<(?:start|end)_of_turn>|<\uff5c(?:User|Assistant|begin\u2581of\u2581sentence|end\u2581of\u2581sentence)\uff5c>"
    r"|<(?:bos|eos)>|</s>(?=\s*\Z|\s*<s>|\s*\[INST\])|<s>(?=\s*\[INST\])"
    r"|^### ?(?:Instruction|Response|Input|Human|Assistant):"
    r"|</?tool_(?:call|response)>|</?think>",
    re.MULTILINE,
)
"""Control words of the chat templates that most bases have."""
_THINKS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Those that an answer may well be meant to have."""
_NAMES = {"answers": "expected", "questions": "input"}
"""What expressions call them."""
_ASKER = re.compile(
    r"^[^\S\n]*+(?:\*\*)?(?:human|user|customer|client|q)(?:\*\*)?\s?:", re.IGNORECASE | re.MULTILINE
)
_ANSWERER = re.compile(r"^[^\S\n]*+(?:\*\*)?(?:assistant|ai|bot|gpt|agent|a)(?:\*\*)?\s?:", _ASKER.flags)


class Order:
    """Whether questions and answers take turns."""

    kinds: tuple[str, ...] = ("role_order",)

    def __init__(self) -> None:
        self._hits = Hits()
        self._faults = Counter[str]()

    def see(self, row: Example) -> None:
        """Take a row in."""
        fault = None if row.is_document else _fault(row.messages)
        if fault is not None:
            self._faults[fault] += 1
            self._hits.add(row, " ".join(message.role for message in row.messages))

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        if self._hits:
            named = ", ".join(f"{fault} {count:,}" for fault, count in self._faults.most_common(4))
            message = f"{scope.share(self._hits.count)} have turns out of order: {named}."
            yield Oddity("role_order", self._hits, message)


def _fault(talk: Conversation) -> str | None:
    """The first thing that is out of order in a conversation."""
    before = ""
    called = False
    for message in talk:
        role = message.role
        if message.instructs:
            if before:
                return "instructions after the first turn"
            continue
        if role == "tool":
            if not called:
                return "a tool's answer that nothing called"
        elif role == "user" and called and before == "assistant":
            return "a call without the tool's answer"
        elif role == before:
            return "two questions in a row" if role == "user" else "two answers in a row"
        elif role == "assistant" and not before and any(one.role == "user" for one in talk):
            return "an answer before the first question"
        if role == "user" and not message.content.strip():
            return "a blank question"
        called = bool(message.tool_calls) if role == "assistant" else called and role == "tool"
        before = role
    return None


class Systems:
    """System prompts of the rows: how many there are, and which hardly differ."""

    kinds: tuple[str, ...] = ("system_twins",)

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._first: dict[str, Example] = {}

    def see(self, row: Example) -> None:
        """Take a row in."""
        first = row.messages[0]
        prompt = first.content[:_LONGEST]
        if first.instructs and (prompt in self._counts or len(self._counts) < _MOST_PROMPTS):
            self._counts[prompt] += 1
            self._first.setdefault(prompt, row)

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """Prompts that are a common one but for blanks, letter case, punctuation or a few letters."""
        common = self._counts.most_common(_COMPARED)
        hits, twins = Hits(), 0
        for place, (prompt, count) in enumerate(common):
            if any(_alike(prompt, other) for other, _ in common[:place]):
                twins += 1
                hits.add(self._first[prompt], prompt)
                hits.count += count - 1
        if hits:
            message = (
                f"{scope.share(hits.count)} have a system prompt that hardly differs from another one's"
                f" ({twins + 1:,} prompts or more say the same): the model would be served one of them."
            )
            yield Oddity("system_twins", hits, message)


def _alike(one: str, other: str) -> bool:
    """Whether two prompts say the same but for blanks, letter case, punctuation or a slip.

    Prompts that are one template filled in differ in whole words (names, products, dates), and are no twins.
    """
    mine, theirs = _words(one), _words(other)
    if len(mine) < _SHORT or len(theirs) < _SHORT:
        return mine == theirs
    if abs(len(mine) - len(theirs)) > max(1, len(mine) // 12):
        return False
    compared = SequenceMatcher(None, mine, theirs, autojunk=False)
    return all(
        kind == "equal" or _slip("".join(mine[a:b]), "".join(theirs[c:d]))
        for kind, a, b, c, d in compared.get_opcodes()
    )


def _words(prompt: str) -> list[str]:
    return _LETTERS.findall(normal_text(prompt))


def _slip(one: str, other: str) -> bool:
    """Whether words differ by a letter or two, or one is a little one that the other leaves out."""
    if not one or not other:
        return len(one + other) <= _LITTLE
    if max(len(one), len(other)) > _SLIPPED:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _NEAR


class Templates:
    """Control words of chat templates, and conversations written into one turn."""

    kinds: tuple[str, ...] = ("control_word", "flattened_chat")

    def __init__(self) -> None:
        self._words = {"answers": Hits(), "questions": Hits()}
        self._named: dict[str, Counter[str]] = {"answers": Counter(), "questions": Counter()}
        self._before = {"answers": False, "questions": False}
        self._flat = Hits()
        self._asks = Hits()

    def see(self, row: Example) -> None:
        """Take a row in."""
        flat = asks = False
        seen = set[str]()
        for message in row.messages:
            text, role = message.content, message.role
            if role == "tool" or (row.is_document and len(text) > 100_000):
                continue
            if any(mark in text for mark in ("<", "[", "###")):
                self._see_words(row, text, "answers" if role == "assistant" else "questions", seen)
            if role == "user" and not flat and _holds_both(text):
                flat = True
                self._flat.add(row, text)
            if role == "assistant" and not asks and not row.is_document and _holds_both(text):
                asks = True
                self._asks.add(row, text)

    def _see_words(self, row: Example, text: str, where: str, seen: set[str]) -> None:
        thinks = where == "answers"
        found = [hit for hit in _WORDS.finditer(text) if not (thinks and hit[0] in _THINKS)]
        if found:
            self._named[where].update(dict.fromkeys((hit[0].strip() for hit in found), 1))
            self._before[where] |= text not in (row.input_text, row.messages[-1].content)
            if where not in seen:
                seen.add(where)
                self._words[where].add(row, text, found[0].start())

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        for where, hits in self._words.items():
            if hits:
                named = ", ".join(word for word, _ in self._named[where].most_common(3))
                message = f"{scope.share(hits.count)} have control words of chat templates in their {where}: {named}."
                # an expression names the last question and answer; where half the rows hold them, dropping is no mending
                drops = not self._before[where] and 2 * hits.count <= scope.rows
                line = without(_NAMES[where], self._named[where]) if drops else None
                yield Oddity("control_word", hits, message, recipe=line)
        if self._flat:
            message = f"{scope.share(self._flat.count)} have a whole conversation in one question."
            yield Oddity("flattened_chat", self._flat, message)
        if self._asks:
            message = f"{scope.share(self._asks.count)} have a whole conversation in one answer: the model would ask itself."
            yield Oddity("flattened_chat", self._asks, message)


def _holds_both(text: str) -> bool:
    """Whether both sides speak in a text, each on lines of its own."""
    return text.count(":") > 1 and "\n" in text and bool(_ASKER.search(text)) and bool(_ANSWERER.search(text))
