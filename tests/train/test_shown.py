"""What templates leave out of rows with tools is found in their text, whatever they write for it."""

import json

import pytest

from calls import ASKED, FOUND, ROW, SAYS, TEXT_ONLY, call, made
from tiny import make_tokenizer
from tunewright.core.message import Conversation, Function, Message, ToolCall, with_tools
from tunewright.models.template import Renderer
from tunewright.train.gate import check_rows
from tunewright.train.shown import left_out

QUESTION = Message(role="user", content="Where is x?")
SHOWN = ["embedded", "qwen2_5", "qwen3_instruct_2507", "qwen3_5_nothink", "lfm2_2_5"]


def odd(old: str, new: str) -> Renderer:
    """The renderer of a template that leaves something out."""
    assert old in TEXT_ONLY
    return Renderer(make_tokenizer(TEXT_ONLY.replace(old, new)))


def given(**arguments: object) -> Message:
    """A call with these arguments."""
    function = Function(name="find", arguments=json.dumps(arguments, ensure_ascii=False))
    return Message(role="assistant", content="", tool_calls=(ToolCall(id="abcdefghi", function=function),))


def test_a_second_call_of_the_same_function() -> None:
    first_alone = odd("for call in message['tool_calls']", "for call in message['tool_calls'][:1]")
    assert left_out((QUESTION, call("x", "y")), first_alone) == "a call of 'find'"
    assert left_out((QUESTION, call("x")), first_alone) is None
    assert left_out((QUESTION, call("x", "y")), odd("for call", "for call")) is None


def test_the_same_call_again_in_a_later_turn() -> None:
    early_alone = odd("message['content'] is none", "message['content'] is none and loop.index < 3")
    talk = (QUESTION, call("x"), FOUND, call("x"))
    assert left_out(talk[:2], early_alone) is None
    assert left_out(talk, early_alone) == "a call of 'find'"
    assert left_out(talk, Renderer(make_tokenizer(TEXT_ONLY))) is None


def test_a_call_that_a_later_question_names() -> None:
    early_alone = odd("message['content'] is none", "message['content'] is none and loop.index < 3")
    talk = (QUESTION, SAYS, Message(role="user", content="Find x: find it."), call("x"))
    assert left_out(talk, early_alone) == "a call of 'find'"
    assert left_out(talk, Renderer(make_tokenizer(TEXT_ONLY))) is None


def test_an_argument_that_stands_in_the_tool_too() -> None:
    template = made("qwen2_5")._template
    assert "tool_call.arguments | tojson" in template
    cut = template.replace("tool_call.arguments | tojson", "(tool_call.arguments | tojson)[:28]")
    renderer = Renderer(make_tokenizer(cut))
    assert left_out((ASKED, given(what="thing")), renderer) is None
    assert left_out((ASKED, given(at="the very end", what="thing")), renderer) == (
        "the argument 'thing' of a call"
    )


def test_arguments_that_are_cut() -> None:
    cut = odd("call['function']['arguments']", "call['function']['arguments'][:26]")
    assert left_out((QUESTION, call("x")), cut) is None
    assert left_out((QUESTION, call("a long argument that is cut off")), cut) == (
        "the argument 'a long argument that is cut off' of a call"
    )
    assert left_out((QUESTION, given(at="here", number=17000)), cut) == ("the argument '17000' of a call")


@pytest.mark.parametrize("name", ["llama3_1", "llama3_2"])
@pytest.mark.parametrize("weight", [None, 0])
def test_the_text_beside_a_call(name: str, weight: float | None) -> None:
    talk = (ASKED, call("a", text="Let me see.", weight=weight), FOUND, SAYS)
    (problem,) = check_rows([("row", talk)], made(name), 2000, "").problems
    assert str(problem.problem()) == (
        "rows row: 1 rows have tools, calls or tools' answers that the base's chat template leaves out (the text"
        " 'Let me see.' beside a call). Choose a base whose chat template shows them, or take them out of the rows."
    )


def test_the_thoughts_before_a_call_may_go() -> None:
    talk = (ASKED, call("a", text="<think>\nHm.\n</think>\n\nLet me see.", weight=0), FOUND, SAYS)
    asked = (*talk, QUESTION, SAYS)
    renderer = made("qwen3")
    assert "Hm." not in renderer.text(asked)
    assert left_out(asked, renderer) is None


def test_tools_that_are_shown_at_times() -> None:
    """This template shows no tools where the system message is long."""
    shy = "{%- if messages[0]['content'] | length > 20 %}{%- set tools = none %}{% endif %}"
    renderer = Renderer(make_tokenizer(shy + made("qwen2_5")._template))
    assert left_out(ROW, renderer) is None
    long = Message(role="system", content="Find what is asked for with the tool find.")
    assert left_out((long, *ROW), renderer) == "the tool 'find'"
    assert left_out((long, *with_tools(ROW, None)), renderer) is None


def test_a_tools_answer_that_is_cut() -> None:
    cut = odd("else -%}{{- message['content']", "else -%}{{- message['content'][:40]")
    short, long = (FOUND.model_copy(update={"content": text}) for text in ("In Prague.", "In Prague, " * 9))
    assert left_out((QUESTION, call("x"), short, SAYS), cut) is None
    assert left_out((QUESTION, call("x"), long, SAYS), cut) == (
        "a tool's answer 'In Prague, In Prague, In Prague, In Prag'"
    )


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_in_other_letters_is_there(name: str) -> None:
    """Quotes, line breaks, backslashes, other alphabets, numbers and nesting, each written as the template likes."""
    values = {
        "what": 'é "quoted"\nand\\broken \t{}',
        "deep": {"many": ["日本", -1.5, 1e20, True, None, {"a": 0}]},
        "price": 12,
        "empty": "",
    }
    found = FOUND.model_copy(update={"content": json.dumps(values)})
    talk: Conversation = (ASKED, given(**values), found, given(**values), found, SAYS)
    assert left_out(talk, made(name)) is None


def test_rows_without_tools_are_not_looked_at() -> None:
    assert left_out((QUESTION, SAYS), None) is None  # type: ignore[arg-type]  # no renderer is asked
