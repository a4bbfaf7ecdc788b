"""The forms that are known, by the name their tool gives them: which part stands under which key.

A family (a file beside this one) says how its parts become a chat row. Where a part can stand under two keys, the form has
the more usual one, and `FormSpec.keys` the other.
"""

from collections.abc import Mapping
from typing import NamedTuple

PARTS: dict[str, tuple[str, ...]] = {
    "instruction": (
        "system",
        "instruction",
        "input",
        "output",
        "history",
        "tools",
        "chosen",
        "rejected",
        "rating",
        "reflection",
        "corrected",
    ),
    "conversation": ("messages", "system", "tools", "chosen", "rejected", "rating"),
    "openai": ("messages", "tools", "functions", "input", "preferred", "rejected", "answer", "rating"),
    "trl": (
        "text",
        "messages",
        "conversations",
        "prompt",
        "completion",
        "chosen",
        "rejected",
        "rating",
        "tools",
    ),
    "preference": ("system", "prompt", "messages", "chosen", "rejected", "answers", "tools"),
    "rated": ("system", "prompt", "completion", "rating", "tools"),
    "critique": ("instruction", "answer", "scores", "critiques", "revision"),
    "stepwise": ("system", "prompt", "completions", "labels"),
    "text": ("text",),
    "prompts": ("prompt",),
    "segments": ("segments",),
}
"""Family → the names of its parts, which `FormSpec.keys` may give another key."""

OUR_ROLES = {role: role for role in ("system", "developer", "user", "assistant", "tool")}
_SHAREGPT_ROLES = {
    **OUR_ROLES,
    "human": "user",
    "gpt": "assistant",
    "observation": "tool",
    "function_call": "call",
}
_AXOLOTL_ROLES = {**OUR_ROLES, "human": "user", "gpt": "assistant"}
_REFLECTED = (
    "### Thought:\n{output}\n\n### Agent Reflection:\n{reflection}\n\n### Final Response:\n{corrected}"
)
_NOT_THERE = (
    "The context provided does not contain any information about your inquiry. "
    "Therefore, I'm unable to answer your question based on the given context."
)
"""What Axolotl answers for rows of questions that have no answer."""
_CRITIQUE = (
    "Criticise the answer to the question: score it from 0 to 10 by each criterion, explain each score and say what would "
    "be better. Reply in YAML, with the scores under `scores` and the rest under `critiques`.\n\n"
    "Question: {instruction}\nAnswer: {answer}"
)
_REVISE = (
    "Revise the answer to the question by its evaluation. Reply with the revised answer alone.\n\n"
    "Question: {instruction}\nAnswer: {answer}\nEvaluation:\n{evaluation}"
)
_TLDR = "Summarize the following article as a TL;DR.\n{instruction}"


class Preset(NamedTuple):
    """A form as its tool has it."""

    family: str
    title: str
    """What it is, in a few words."""
    keys: Mapping[str, str]
    """Part → the row's key."""
    needs: tuple[str, ...]
    """Parts that a row of this form has, one of each alternative (`a|b`)."""
    message_keys: Mapping[str, str] = {}
    """A turn's part → its key."""
    roles: Mapping[str, str] = OUR_ROLES
    """The row's word for who speaks → our role, or `call` for an assistant's call of a tool written as JSON."""
    formats: Mapping[str, str] = {}
    """`user`, `user_alone` (where there is no input), `answer` → a text with {part} in it."""
    alternating: bool = False
    """Whether the tool drops a conversation whose turns do not alternate."""


def _asked(title: str, formats: Mapping[str, str] | None = None, /, **keys: str) -> Preset:
    """A form of one question and one answer; without `output` among the keys, its answer is written out in a format."""
    needs = ["instruction", *(part for part in ("output", "reflection", "corrected") if part in keys)]
    if keys.get("input", "input") != "input":
        needs.append("input")
    return Preset("instruction", title, keys, tuple(needs), formats=formats or {})


def _pair(title: str, **keys: str) -> Preset:
    needs = tuple(part for part in ("prompt", "messages", "chosen", "rejected", "answers") if part in keys)
    return Preset("preference", title, {**keys, "tools": "tools"}, needs, roles=_AXOLOTL_ROLES)


def _rated(title: str, **keys: str) -> Preset:
    every = {"system": "system", **keys, "rating": "label", "tools": "tools"}
    return Preset("rated", title, every, (*keys, "rating"), roles=_AXOLOTL_ROLES)


_ALPACA = {name: name for name in ("system", "instruction", "input", "output", "history", "tools")}
_REFLECTION = ("instruction", "input", "output", "reflection", "corrected")
_SHAREGPT = {"messages": "conversations", "system": "system", "tools": "tools"}
_MESSAGES = {"messages": "messages", "tools": "tools"}
_FROM_VALUE = {"role": "from", "content": "value"}
_TRL = {**{part: part for part in PARTS["trl"]}, "rating": "label"}
_MLX = {part: part for part in ("messages", "tools", "prompt", "completion", "text")}
_OPENAI = {
    "messages": "messages",
    "tools": "tools",
    "functions": "functions",
    "input": "input",
    "preferred": "preferred_output",
    "rejected": "non_preferred_output",
}
_CHOSEN = {"system": "system", "chosen": "chosen", "rejected": "rejected"}

_INSTRUCTIONS = {
    "alpaca": _asked("Alpaca; litgpt", **_ALPACA),
    "llamafactory.alpaca": _asked(
        "LLaMA-Factory, formatting alpaca", instruction="instruction", input="input", output="output"
    ),
    "alpaca_w_system": _asked("Alpaca with a system message a row", **_ALPACA),
    "alpaca_chat": _asked(
        "instruction and response",
        system="system",
        instruction="instruction",
        input="input",
        output="response",
    ),
    "gpteacher": _asked("GPTeacher", instruction="instruction", input="input", output="response"),
    "oasst": _asked("OpenAssistant", instruction="INSTRUCTION", output="RESPONSE"),
    "alpaca_chat.load_qa": _asked("question and answer", instruction="question", output="answer"),
    "alpaca_chat.load_camel_ai": _asked("Camel AI", instruction="message_1", output="message_2"),
    "alpaca_w_system.load_open_orca": _asked(
        "OpenOrca", system="system_prompt", instruction="question", output="response"
    ),
    "summarizetldr": _asked(
        "article and summary", {"user_alone": _TLDR}, instruction="article", output="summary"
    ),
    "metharme": _asked("Metharme", instruction="prompt", output="generation"),
    "gpt4all": _asked("prompt and response", instruction="prompt", output="response"),
    "torchtune.instruct": _asked("torchtune's instruct", instruction="input", output="output"),
    "jeopardy": _asked(
        "Jeopardy",
        {"answer": "what is {output}"},
        instruction="question",
        input="category",
        output="answer",
    ),
    "explainchoice": _asked(
        "a choice explained", instruction="question", input="choices", output="explanation"
    ),
    "concisechoice": _asked("a choice", instruction="question", input="choices", output="solution"),
    "context_qa": _asked(
        "a question to an article",
        {"user": "{input}\n===\n{instruction}"},
        instruction="question",
        input="article",
        output="answer",
    ),
    "context_qa.load_v2": _asked(
        "a question in a context",
        {"user": "Context: {input}\nQuestion: {instruction}\n", "answer": "Answer: {output}"},
        instruction="question",
        input="context",
        output="answer",
    ),
    "context_qa.load_404": _asked(
        "a question that the article does not answer",
        {"user": "{input}\n===\n{instruction}", "answer": _NOT_THERE},
        instruction="unanswerable_question",
        input="article",
    ),
    "reflection": _asked(
        "an answer, a reflection, a better answer",
        {"answer": _REFLECTED},
        **{part: part for part in _REFLECTION},
    ),
    "creative_acr.load_answer": _asked("a revised answer", instruction="instruction", output="revision"),
}

_CONVERSATIONS = {
    "openai": Preset(
        "openai",
        "OpenAI's fine-tuning files",
        _OPENAI,
        ("messages|preferred",),
        roles={**OUR_ROLES, "function": "tool"},
    ),
    "sharegpt": Preset(
        "conversation",
        "ShareGPT",
        _SHAREGPT,
        ("messages",),
        _FROM_VALUE,
        {**_SHAREGPT_ROLES, "input": "user", "output": "assistant"},
    ),
    "chat_template": Preset(
        "conversation", "Axolotl's chat_template", _MESSAGES, ("messages",), {}, _AXOLOTL_ROLES
    ),
    "pygmalion": Preset(
        "conversation",
        "Pygmalion",
        {"messages": "conversations"},
        ("messages",),
        {"role": "role", "content": "value"},
        {**OUR_ROLES, "human": "user", "bot": "assistant"},
    ),
    "tinker": Preset("conversation", "Tinker", _MESSAGES, ("messages",), {"train": "trainable"}),
    "llamafactory.sharegpt": Preset(
        "conversation",
        "LLaMA-Factory, formatting sharegpt",
        {"messages": "conversations"},
        ("messages",),
        _FROM_VALUE,
        _SHAREGPT_ROLES,
        alternating=True,
    ),
    "llamafactory.openai": Preset(
        "conversation",
        "LLaMA-Factory, formatting openai",
        {"messages": "messages"},
        ("messages",),
        alternating=True,
    ),
    "llamafactory.v1": Preset(
        "conversation",
        "LLaMA-Factory, version 1",
        _MESSAGES,
        ("messages",),
        {"weight": "loss_weight"},
    ),
    "trl": Preset(
        "trl",
        "TRL",
        _TRL,
        ("text|messages|conversations|completion|chosen",),
        roles=_SHAREGPT_ROLES,
    ),
    "mlx": Preset("trl", "mlx-lm", _MLX, ("text|messages|completion",)),
    "passthrough": Preset(
        "trl", "Axolotl's passthrough", _TRL, ("chosen|completion",), roles=_SHAREGPT_ROLES
    ),
}

_CRITIQUED = {part: part for part in ("instruction", "answer", "scores", "critiques")}
_CRITIQUES = {
    "creative_acr.load_critique": Preset(
        "critique", "an answer criticised", _CRITIQUED, tuple(_CRITIQUED), formats={"user": _CRITIQUE}
    ),
    "creative_acr.load_revise": Preset(
        "critique",
        "an answer revised by a critique",
        {**_CRITIQUED, "revision": "revision"},
        (*_CRITIQUED, "revision"),
        formats={"user": _REVISE},
    ),
}

_PREFERENCES = {
    "llamafactory.v1_pair": Preset(
        "preference",
        "LLaMA-Factory, version 1, a pair",
        {"chosen": "chosen_messages", "rejected": "rejected_messages"},
        ("chosen", "rejected"),
        {"weight": "loss_weight"},
    ),
    "preference": _pair("a prompt and two answers", prompt="prompt", **_CHOSEN),
    "dpo.chat_template": _pair(
        "messages and two answers", messages="messages", chosen="chosen", rejected="rejected"
    ),
    "dpo.argilla": _pair(
        "an instruction and two answers",
        system="system",
        prompt="instruction",
        chosen="chosen_response",
        rejected="rejected_response",
    ),
    "dpo.argilla_chat": _pair("two conversations", **_CHOSEN),
    "dpo.icr": _pair("an input and two answers", prompt="input", **_CHOSEN),
    "dpo.intel": _pair("a question and two answers", prompt="question", **_CHOSEN),
    "dpo.prompt_pairs": _pair("a prompt and two answers", prompt="prompt", **_CHOSEN),
    "dpo.ultra": _pair("a prompt and two conversations", prompt="prompt", **_CHOSEN),
    "dpo.nectar": _pair("ranked answers", prompt="prompt", answers="answers"),
    "orpo.chat_template": _pair("two conversations", **_CHOSEN),
    "bradley_terry": _pair("an input and two answers", prompt="input", **_CHOSEN),
    "torchtune.preference": _pair(
        "two conversations", chosen="chosen_conversations", rejected="rejected_conversations"
    ),
    "rated": _rated("a prompt and a rated answer", prompt="prompt", completion="completion"),
    "kto.argilla": _rated("an instruction and a rated answer", prompt="instruction", completion="completion"),
    "kto.argilla_chat": _rated("a rated conversation", completion="completion"),
    "kto.intel": _rated("a question and a rated answer", prompt="question", completion="completion"),
    "kto.prompt_pairs": _rated("a prompt and a rated answer", prompt="prompt", completion="completion"),
    "kto.ultra": _rated("a prompt and a rated answer", prompt="prompt", completion="completion"),
}

PRESETS: dict[str, Preset] = {
    **_INSTRUCTIONS,
    **_CONVERSATIONS,
    **_PREFERENCES,
    **_CRITIQUES,
    "stepwise": Preset(
        "stepwise",
        "TRL, rated steps, as one rated answer",
        {part: part for part in PARTS["stepwise"]},
        ("prompt", "completions", "labels"),
        roles=_SHAREGPT_ROLES,
    ),
    "prompt_only": Preset(
        "prompts", "TRL, prompts without answers", {"prompt": "prompt"}, ("prompt",), roles=_SHAREGPT_ROLES
    ),
    "completion": Preset("text", "text alone", {"text": "text"}, ("text",)),
    "input_output": Preset("segments", "Axolotl's segments", {"segments": "segments"}, ("segments",)),
}
"""Form → how its rows are read."""
