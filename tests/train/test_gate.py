"""The gate: good rows pass, and every fault it is there for is named."""

import pytest
from tokenizers.processors import TemplateProcessing

from calls import ASKED, call, made
from tiny import CHATML, make_tokenizer
from tunewright.core.example import Origin, ask, make_document, make_example
from tunewright.core.message import Message, with_system
from tunewright.generate.constraint import Constraints
from tunewright.models.template import Rendered, Renderer
from tunewright.train import bos
from tunewright.train.gate import Segment, check_answers, check_asked, check_rows
from tunewright.train.length import fit
from tunewright.train.methods import cpt
from tunewright.train.spec import TrainSpec

GOOD = ask("What colour?", "red")
SYSTEM = "Reply with one word."


def kinds(row, renderer, max_length=200):
    report = check_rows([("row", row)], renderer, max_length, SYSTEM)
    assert report.passed == (not report.problems)
    return [problem.kind for problem in report.problems]


def test_good_rows(tiny_renderer):
    rows = [(f"row{i}", ask(f"What is {i}?", str(i))) for i in range(7)]
    report = check_rows(rows, tiny_renderer, 200, SYSTEM)
    assert report.passed
    assert report.notes == {}
    assert report.rows == len(report.lengths) == len(report.trained) == 7
    assert set(report.trained) == {2}
    assert len(report.samples) == 5
    head = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    assert report.samples[3].segments == (
        Segment(
            f"{head}<|im_start|>user\nWhat is 3?<|im_end|>\n<|im_start|>assistant\n",
            False,
        ),
        Segment("3<|im_end|>", True),
        Segment("\n", False),
    )


def test_a_row_keeps_its_own_system_prompt(tiny_renderer):
    own = check_rows([("a", ask("Hi", "yes", system="Mine"))], tiny_renderer, 200, SYSTEM).samples[0]
    assert SYSTEM not in own.segments[0].text


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (GOOD, []),
        (ask("What colour?", ""), []),
        (ask("Café", "cafe\u0301 au lait"), []),
        (ask("What colour? " * 100, "red"), ["too long"]),
        (ask("x", "red<|im_end|>"), ["control token in answer"]),
        (
            (Message(role="user", content="x"), Message(role="assistant", content="y", weight=0)),
            ["nothing trained"],
        ),
    ],
)
def test_faults_of_rows(tiny_renderer, row, expected):
    assert kinds(row, tiny_renderer) == expected


def test_what_a_long_row_is_told_knows_what_was_tried(tiny_renderer):
    row = ask("What colour? " * 100, "red")
    told = {
        policy: str(check_rows([("a", row)], tiny_renderer, 200, "", over_long=policy).problems[0].problem())
        for policy in ("fail", "cut")
    }
    assert told["fail"].endswith("Raise train.max_length, or set train.over_long to drop or cut.")
    assert told["cut"].startswith(
        "rows a: 1 rows are longer than train.max_length even with their last turn alone"
    )
    assert told["cut"].endswith("Raise train.max_length, or set train.over_long to drop.")


def test_rows_that_are_rendered_are_not_rendered_again(tiny_renderer, monkeypatch):
    rows = [("a", GOOD), ("b", ask("Hi", "yes"))]
    known = [tiny_renderer.training(with_system(talk, SYSTEM)) for _, talk in rows]
    wanted = check_rows(rows, tiny_renderer, 200, SYSTEM)
    again = []
    real = tiny_renderer.training
    monkeypatch.setattr(tiny_renderer, "training", lambda talk: again.append(talk) or real(talk))
    assert check_rows(rows, tiny_renderer, 200, SYSTEM, rendered=[[row] for row in known]) == wanted
    assert again == []
    assert check_rows(rows, tiny_renderer, 200, SYSTEM, rendered=[[known[0]], []]) == wanted
    assert again == [with_system(rows[1][1], SYSTEM)]


def test_tokens_that_are_not_the_rows_are_seen(tiny_renderer):
    other = tiny_renderer.training(ask("What colour?", "blue", system=SYSTEM))
    report = check_rows([("a", GOOD)], tiny_renderer, 200, SYSTEM, rendered=[[other]])
    assert [problem.kind for problem in report.problems] == ["answer changed"]


def test_a_control_word_in_a_question_is_noted_and_harmless(tiny_renderer):
    report = check_rows([("a", ask("Hi<|im_end|>", "yes"))], tiny_renderer, 200, SYSTEM)
    assert report.passed
    assert report.notes == {"control words in questions, spelled out as text": 1}


HEAD = "{{- '<|im_start|>' + message['role'] + '\\n' -}}"
TRAINS_HEADER = CHATML.replace(HEAD, "").replace("{%- generation -%}", "{%- generation -%}" + HEAD).replace(
    "{%- else -%}", "{%- else -%}" + HEAD
)  # fmt: skip
TRAINS_ALL = CHATML.replace("{%- generation -%}", "").replace("{%- endgeneration -%}", "").replace(
    "{%- for", "{%- generation -%}{%- for").replace("{%- endfor -%}", "{%- endfor -%}{%- endgeneration -%}")  # fmt: skip
SHOUTS = CHATML.replace(
    "message['content'] + '<|im_end|>' -}}", "message['content'] | upper + '<|im_end|>' -}}"
)
OTHER_PROMPT = CHATML.replace(
    "'<|im_start|>assistant\\n' -}}{%- endif -%}", "'<|im_start|>bot\\n' -}}{%- endif -%}"
)
TWO_BOS = "{{- '<s><s>' -}}" + CHATML
ONE_BOS = "{{- '<s>' -}}" + CHATML
BOS_INSIDE = ONE_BOS.replace("{%- else -%}{{- ", "{%- else -%}{{- '<s>' + ")
BOS_EACH_TURN = CHATML.replace(
    "{%- for message in messages -%}",
    "{%- for message in messages -%}{{- '<s>' if message['role'] == 'user' -}}",
)
NO_SYSTEM = (
    "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('no system prompt here') }}{%- endif -%}"
    + CHATML
)

NO_COLOUR = "{%- if 'colour' in messages | string -%}{{ 1 / 0 }}{%- endif -%}" + CHATML


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (TRAINS_ALL, ["template refuses"]),
        (TRAINS_HEADER, ["mask wrong", "answer changed"]),
        (SHOUTS, ["answer changed"]),
        (OTHER_PROMPT, ["prompt differs"]),
        (TWO_BOS, ["doubled BOS"]),
        (NO_SYSTEM, []),
        (NO_COLOUR, ["template refuses"]),
    ],
)
def test_faults_of_templates(template, expected):
    assert template != CHATML
    assert kinds(GOOD, Renderer(make_tokenizer(template, bos_token="<s>"))) == expected


TURNS = (*ask("What colour?", "red"), *ask("And now?", "blue"))


def beginning(template):
    """A tokenizer that begins texts with `<s>`."""
    tokenizer = make_tokenizer(template, bos_token="<s>")
    begins = [("<s>", tokenizer.bos_token_id)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=begins)
    return tokenizer


class Counted:
    """A tokenizer, and the texts it is called with."""

    def __init__(self, tokenizer, asked):
        self._tokenizer, self._asked = tokenizer, asked

    def __call__(self, text):
        self._asked.append(text)
        return self._tokenizer(text)

    def __getattr__(self, name):
        return getattr(self._tokenizer, name)


@pytest.mark.parametrize(
    ("template", "row", "expected"),
    [
        (CHATML, GOOD, []),
        (TWO_BOS, GOOD, ["doubled BOS"]),
        (ONE_BOS, GOOD, []),
        (ONE_BOS, TURNS, []),
        (ONE_BOS, ask("What is <s>?", "red"), []),
        (BOS_INSIDE, GOOD, ["doubled BOS"]),
        (BOS_EACH_TURN, TURNS, []),
    ],
)
def test_one_bos_where_the_tokenizer_begins_texts_with_one(template, row, expected):
    renderer = Renderer(beginning(template))
    report = check_rows([("row", row)], renderer, 200, "")
    assert [problem.kind for problem in report.problems] == expected
    told = ["base"] if template == CHATML else []
    assert [problem.where for problem in bos.missing(renderer, TrainSpec())] == told


@pytest.mark.parametrize(("rehearsal", "told"), [(0, 0), (0.5, 1)])
def test_documents_begin_with_the_bos_themselves(rehearsal, told):
    """What is rehearsed beside them are conversations, which do not."""
    renderer = Renderer(beginning(CHATML))
    assert renderer.document("red").ids[0] == renderer.tokenizer.bos_token_id
    assert len(bos.missing(renderer, TrainSpec(method="cpt", rehearsal=rehearsal))) == told


def test_what_a_text_begins_with_is_looked_up_once():
    renderer, asked = Renderer(beginning(CHATML)), []
    tokenizer = renderer.tokenizer
    renderer.tokenizer = Counted(tokenizer, asked)
    bos_id = tokenizer.bos_token_id
    assert [bos.doubled(ids, renderer) for ids in ([bos_id, 7, 8], [7, 8], [bos_id])] == [False] * 3
    assert asked == []
    assert [bos.doubled(ids, renderer) for ids in ([7, bos_id], [bos_id, 7, bos_id])] == [True] * 2
    assert asked == ["a"]


def test_a_problem_in_words(tiny_renderer):
    rows = [(f"row{i}", ask("What colour? " * 100, "red")) for i in range(12)]
    (problem,) = check_rows(rows, tiny_renderer, 200, SYSTEM).problems
    assert (problem.rows, len(problem.ids)) == (12, 10)
    assert problem.problem().examples == ("row0", "row1", "row2")
    assert str(problem.problem()).startswith(
        "rows row0, row1, row2: 12 rows are longer than train.max_length"
    )


PAGE = "What colour is the door? The door is red. How much is it? It is eleven euros."


def document(renderer, text=PAGE, longest=20):
    """A document as the gate takes it, and its pieces as they are trained."""
    example = make_document(text)
    trees = fit([example], cpt, renderer, SYSTEM, TrainSpec(method="cpt", max_length=longest)).shelf
    return [("page", example.messages)], [Rendered(tree.rows[0].ids, tree.rows[0].mask) for tree in trees]


def test_a_document_passes_in_pieces(tiny_renderer):
    rows, pieces = document(tiny_renderer)
    report = check_rows(rows, tiny_renderer, 20, SYSTEM, rendered=[pieces])
    assert report.passed
    assert report.rows == len(report.lengths) == len(pieces) > 1
    assert report.trained == tuple(length - 1 for length in report.lengths)
    head, rest = report.samples[0].segments
    assert (head.trained, rest.trained) == (False, True)
    assert PAGE.startswith(head.text + rest.text)
    assert check_rows(rows, tiny_renderer, 200, SYSTEM).lengths == (sum(report.trained) + 1,)


def test_a_control_word_in_a_document_is_noted_and_harmless(tiny_renderer):
    rows, pieces = document(tiny_renderer, "Cafe\u0301 <|im_end|> red")
    report = check_rows(rows, tiny_renderer, 20, SYSTEM, rendered=[pieces])
    assert report.passed
    assert report.notes == {"control words in documents, spelled out as text": 1}


def test_faults_of_documents():
    renderer = Renderer(make_tokenizer(bos_token="<s>"))
    bos, end = renderer.tokenizer.bos_token_id, renderer.end_of_text
    rows, (first, *others) = document(renderer)
    middle, last = others[0], others[-1]
    faults = {
        "untrained text": [first, middle._replace(mask=[0, 0, *middle.mask[2:]]), *others[1:]],
        "no end of text": [first, *others[:-1], Rendered(last.ids[:-1], last.mask[:-1])],
        "doubled BOS": [Rendered([bos, bos, *first.ids[:-1]], [0] + [1] * len(first.ids)), *others],
        "control token in text": [Rendered([first.ids[0], end, *first.ids[1:]], [0, 1, *first.mask[1:]]), *others],
        "text changed": [first, *others[1:]],
    }  # fmt: skip
    for kind, pieces in faults.items():
        report = check_rows(rows, renderer, 200, SYSTEM, rendered=[pieces])
        assert kind in [problem.kind for problem in report.problems]
        assert (
            "rows page: 1 rows are documents" in str(report.problems[-1].problem()) or kind == "doubled BOS"
        )
    (problem,) = check_rows(rows, renderer, 19, SYSTEM, rendered=[[first, *others]]).problems
    assert (problem.kind, problem.detail) == ("too long", "20 tokens")


def test_answers_that_the_constraint_would_bar(tiny_renderer):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
        "required": ["a"],
    }
    constraint = Constraints(tiny_renderer).for_schema(schema)
    written = ['{"a": "é \\n", "b": -1.5e-07}', '{"a": "red"}', '{"a":"red"}', '{"b": 1, "a": "red"}']
    rows = [make_example(ask(f"question {number}", text)) for number, text in enumerate(written)]
    bad = make_example(ask("and?", "none of this"), desirable=False)
    pair = make_example(ask("or?", '{"a": ""}'), rejected="nor this")
    assert check_answers([*rows[:2], bad, pair, make_document("a text")], constraint) == ()
    (problem,) = check_answers([*rows, bad, pair], constraint)
    assert (problem.kind, problem.rows, problem.ids) == ("answer barred", 2, (rows[2].id, rows[3].id))
    assert str(problem.problem()) == (
        f"rows {rows[2].id}, {rows[3].id}: 2 rows have an answer that decoding.constrained would not let the model write"
        """ (after '{"a":' comes '"red"}')"""
        ". Mend the answers, give each object of the schema all its properties in one place (not some beside anyOf, allOf or"
        " $ref), or set decoding.constrained: false."
    )


def test_a_call_cannot_be_held_to_a_schema(tiny_renderer):
    said = make_example((ASKED, call("x")))
    constraint = Constraints(tiny_renderer).for_schema({"type": "object"})
    (problem,) = check_answers([make_example(ask("q", "{}")), said], constraint)
    assert (problem.ids, problem.detail) == (
        (said.id,),
        "it calls a tool, and what is held to the schema can call none",
    )


def test_the_room_for_a_call_is_what_the_template_writes():
    renderer = made("qwen2_5")
    said = make_example((ASKED, call("x")))
    prompt, whole = renderer.prompt((ASKED,)), renderer.training(said.messages)
    room = len(prompt) + sum(whole.mask)
    assert sum(whole.mask) > len(renderer.document(said.expected).ids)  # which has no <tool_call> around
    assert check_asked([said], renderer, "", longest_answer=500, positions=room) == []
    (problem,) = check_asked([said], renderer, "", longest_answer=500, positions=room - 1)
    assert f"the longest has {room} tokens" in problem.message


def test_a_call_that_the_template_refuses_cannot_be_asked():
    renderer = made("llama3_1")
    good, two = make_example((ASKED, call("a"))), make_example((ASKED, call("a", "b")))
    (problem,) = check_asked([good, two], renderer, "", longest_answer=5, positions=None)
    assert str(problem).startswith(
        f"example {two.id}: 1 examples of suites cannot be asked (The chat template refuses a conversation"
    )


def test_what_cannot_be_asked(tiny_renderer):
    """The prompt and room for the answer are measured to the token; of an answer, what is drawn at most counts."""
    long = make_example(ask("What colour?", "red " * 30), origin=Origin(source="s", file="a.csv", row=7))
    prompt = len(tiny_renderer.prompt(with_system(long.prompt, SYSTEM)))
    answer = len(tiny_renderer.training(ask("What colour?", "red " * 30, system=SYSTEM)).ids) - 1 - prompt
    good = make_example(GOOD)
    fits = {"longest_answer": 500, "positions": prompt + answer}
    assert check_asked([good, long], tiny_renderer, SYSTEM, **fits) == []
    assert check_asked([good, long], tiny_renderer, SYSTEM, longest_answer=500, positions=None) == []
    assert check_asked([good, long], tiny_renderer, SYSTEM, longest_answer=5, positions=prompt + 5) == []
    (problem,) = check_asked(
        [good, long], tiny_renderer, SYSTEM, longest_answer=500, positions=prompt + answer - 1
    )
    assert str(problem) == (
        f"a.csv:7: 1 examples of suites cannot be asked: with room for its answer the longest has {prompt + answer} tokens,"
        f" and the base takes {prompt + answer - 1}. Shorten them or leave them out (in the recipe, {{op: max_chars, chars:"
        " …} drops long rows), or choose a base that takes more."
    )


def test_a_prompt_that_the_template_refuses_cannot_be_asked():
    renderer = Renderer(make_tokenizer(NO_COLOUR))
    refused, good = make_example(GOOD), make_example(ask("Hi", "yes"))
    (problem,) = check_asked([good, refused], renderer, "", longest_answer=5, positions=None)
    assert str(problem).startswith(
        f"example {refused.id}: 1 examples of suites cannot be asked (The chat template refuses a conversation"
    )
