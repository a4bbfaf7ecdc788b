"""Templates of a stranger's project file: what they can take up is bounded, and what people write is as it was."""

from time import sleep

import pytest

from ends import ends
from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_example
from tunewright.data import sandbox
from tunewright.data.ops.filter import Filter, each
from tunewright.data.rows import BadRow
from tunewright.data.synthetic.formula import BadCell, Formula
from tunewright.data.template import ENVIRONMENT, InputTemplate

BEYOND = (
    "it takes more than a template may for one row (200,000 steps, 100,000,000 characters in all, 10 seconds)"
)
ROW = {
    "x": "hello " * 100,
    "rows": [{"n": 1, "of": [2, {"deep": "z"}]}, {"n": 2, "of": []}],
    "none": None,
    "many": "a" * 100_000,
}


def of(template: str) -> str:
    return str(Formula(template, template=True).of(ROW))


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ [1, 2] * 10 ** 10 }}",
        "{{ 'a' | center(10 ** 10) }}",
        "{{ x.ljust(10 ** 10) }}",
        "{{ x.expandtabs(10 ** 10) }}",
        "{{ (1).to_bytes(10 ** 9, 'big') }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%*d' % (10 ** 9, 1) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ '{:999999999.2f}'.format(1.0) }}",
        "{{ '%.999999999d' % 1 }}",
        "{{ '{:>{w}}'.format(1, w=10 ** 9) }}",
        "{{ many.replace('a', many) }}",
        "{{ many | replace('', many) }}",
        "{{ many.join(range(100000) | list) }}",
        "{{ range(100000) | join(many) }}",
        "{{ (x * 100) | wordwrap(1, true, many) }}",
        "{{ ('a\n' * 100000) | indent(many) }}",
        "{{ many.translate({97: many}) }}",
        "{{ [1] | batch(10 ** 9, 1) | list }}",
        "{{ [1] | slice(10 ** 9) | list }}",
        "{{ 1.5 | round(10 ** 9, 'ceil') }}",
        "{{ [[1]] | tojson(indent=10 ** 9) }}",
        "{{ ('{0}' * 1000000).format(many) }}",
        "{{ ('%(a)s' * 1000000) % {'a': many} }}",
        "{{ ('%(a)s' * 1000000) | format(a=many) }}",
        "{{ '{:>{w[0]}}'.format(1, w=[10 ** 9]) }}",
        "{{ '{:{w}}'.format(1, w='>999999999') }}",
        "{{ '%                                        999999999d' % 1 }}",
        "{{ '%((a))999999999d' % {'(a)': 1} }}",
        "{{ many.join(range(100000) | map('string')) }}",
        "{{ range(100000) | map('string') | join(many) }}",
        "{{ range(100000) | list | tojson(indent=999999) }}",
        "{{ ('a\n' * 100000) | indent(999999) }}",
        "{{ ('a.com ' * 100000) | urlize(rel=many) }}",
        "{{ [2 ** 14000] * 5000000 }}",
        "{{ [[range(1000) | list] * 10000][0] | sum(start=[]) }}",
        "{{ ('ab ' * 30000000).split() }}",
        "{{ '{a:>{w}}'.format_map({'a': 1, 'w': 10 ** 9}) }}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=1) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=1) %}{% for i in range(99) %}{% set n.s = {1: n.s, 2: n.s} %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=1) %}{% for i in range(99) %}{% set n.s = namespace(a=n.s, b=n.s) %}{% endfor %}{{ n.s }}",
        "{% for a in range(100000) %}" + "t" * 10_000 + "{% endfor %}",
        "{% set z %}{% for a in range(100000) %}{{ x * 10 }}{% endfor %}{% endset %}",
    ],
)
def test_what_would_take_the_machine_up_is_stopped(template: str) -> None:
    with ends(), pytest.raises(BadCell) as caught:
        of(template)
    assert str(caught.value) == BEYOND


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(99999, 199998) | reject('in', range(99999) | list) | list }}",
        "{% for a in range(90000) %}{% block b scoped %}{% for c in range(90000) %}{% endfor %}{% endblock %}{% endfor %}",
    ],
)
def test_what_only_takes_time_ends_with_it(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.3)
    with ends(), pytest.raises(BadCell) as caught:
        of(template)
    assert str(caught.value) == BEYOND


def test_time_that_others_take_is_not_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.1)
    waits = Formula("{% for a in range(3) %}{{ wait() }}{% endfor %}", template=True)
    assert waits.of({"wait": lambda: sleep(0.1) or "x"}) == "xxx"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ range(10 ** 6) }}", "a range of 100,000 numbers is the longest that a template may have"),
        ("{{ (2 ** 40000) ** 9 }}", "** makes a number of more than 100,000 bits"),
        ("{{ (2 ** 40000) * (2 ** 40000) * (2 ** 40000) }}", "* makes a number of more than 100,000 bits"),
        (
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "what it makes is too large, or nests too deep",
        ),
    ],
)
def test_numbers_and_nesting_are_bounded(template: str, said: str) -> None:
    with pytest.raises(BadCell) as caught:
        of(template)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "source", ["(" * 3000, "x" + ".a" * 5000, "1" + "+1" * 5000, "not " * 900 + "x", "x" + " | upper" * 3000]
)
def test_a_source_that_nests_too_deep_is_refused_as_it_is_read(source: str) -> None:
    with pytest.raises(ValueError, match=r"is not a Jinja template \(it nests too deep\)"):
        Formula("{{ " + source + " }}", template=True)
    with pytest.raises(DataError, match=r"not valid Jinja .it nests too deep, line 1"):
        InputTemplate("{{ " + source + " }}")


def test_loops_in_loops_and_long_numbers_are_refused_as_they_are_read() -> None:
    with pytest.raises(ValueError, match="it nests too deep"):
        Formula("{% for a in b %}" * 30 + "{% endfor %}" * 30, template=True)
    with pytest.raises(ValueError, match="Exceeds the limit"):
        Formula("{{ " + "9" * 5000 + " }}", template=True)


def test_each_place_tells_it_in_a_sentence() -> None:
    with pytest.raises(BadRow) as row:
        InputTemplate("{{ x * 10 ** 10 }}").render(ROW)
    assert row.value.args[0] == f"template: {BEYOND}"
    with pytest.raises(DataError) as caught:
        each(Filter(keep="input * 10 ** 10"))(make_example(ask("q", "a")))
    assert BEYOND in str(caught.value)


def test_an_input_template_that_takes_too_much_row_after_row_ends_it() -> None:
    template = InputTemplate("{{ 'a' * n }}")
    beyond, fine = {"n": 10**10}, {"n": 2}
    for _ in range(3):
        for _ in range(19):
            with pytest.raises(BadRow):
                template.render(beyond)
        assert template.render(fine) == "aa"
    for _ in range(19):
        with pytest.raises(BadRow):
            template.render(beyond)
    with pytest.raises(DataError) as caught:
        template.render(beyond)
    assert str(caught.value) == (
        f"task.input: the input template: {BEYOND}, and 20 rows one after the other came to that."
        " Write a template that only puts a row's columns together."
    )


def test_one_rendering_takes_nothing_from_the_next() -> None:
    turns = Formula("{% for a in range(90000) %}{% endfor %}", template=True)
    assert [turns.of({}) for _ in range(5)] == [""] * 5


@pytest.mark.parametrize(
    ("template", "made"),
    [
        (
            "{% for r in rows %}{{ loop.index }}/{{ loop.length }}{{ ', ' if not loop.last }}{% endfor %}",
            "1/2, 2/2",
        ),
        ("{% for r in rows if r.n > 1 %}{{ r.n }}{% else %}none{% endfor %}", "2"),
        ("{% for r in [] %}x{% else %}none{% endfor %}", "none"),
        ("{% for k, v in rows[0].items() %}{{ k }}{% endfor %}", "nof"),
        (
            "{% for r in rows recursive %}{{ r.n }}{{ loop(r.sub or []) if r.sub is defined }}{% endfor %}",
            "12",
        ),
        ("{{ rows | map(attribute='n') | join('-') }}", "1-2"),
        ("{{ rows | selectattr('n', 'gt', 1) | list | length }}", "1"),
        ("{{ rows }}", '[{"n": 1, "of": [2, {"deep": "z"}]}, {"n": 2, "of": []}]'),
        ("{{ rows | tojson }}", '[{"n": 1, "of": [2, {"deep": "z"}]}, {"n": 2, "of": []}]'),
        ("{{ '%s has %d' % ('a', 2) }} {{ '{:,}'.format(10 ** 9) }}", "a has 2 1,000,000,000"),
        ("{{ 'No. 12345678: %s, 100 %%' | format('a') }}", "No. 12345678: a, 100 %"),
        ("{{ 'No. 12345678: {:>3}'.format('a') }}", "No. 12345678:   a"),
        ("{{ 'call (030) 12345678: %(a)s' % {'a': x[:2]} }}", "call (030) 12345678: he"),
        ("{{ '{:>{w}}|{a[0]!r:^6}|{{}}'.format(x[:2], w=4, a=[12345678]) }}", "  he|12345678|{}"),
        (
            "{{ ('<b>{}</b>' | safe).format('<') }} {{ '{a:,}'.format_map({'a': 10 ** 6}) }}",
            "<b>&lt;</b> 1,000,000",
        ),
        ("{{ rows | map(attribute='n') | join(', ') }} {{ [[1], [2]] | sum(start=[]) }}", "1, 2 [1, 2]"),
        ("{{ rows | tojson(indent=2) | length }} {{ 'a\nb' | indent(2) }}", "120 a\n  b"),
        ("{{ nowhere | default('there', true) }}", "there"),
        ("{{ 'a' ~ 1 ~ [x[:2], 2] }}", "a1['he', 2]"),
        ("{% set a, b = (x[:1], 2) %}{{ a }}{{ b }}", "h2"),
        ("{{ x | trim | upper | truncate(8) }} {{ 2 ** 10 }} {{ 7 % 4 }}", "HELLO... 1024 3"),
        ("{% filter upper %}{{ x[:2] }}{% endfilter %}", "HE"),
        (
            "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call m(1, b=3) %}!{% endcall %}",
            "13!",
        ),
        ("{{ [3, 1] | sort | first }}{{ (1, 2) | sum }}{{ {'a': x[:1]}['a'] }}", "13h"),
        ("{{ cycler('a', 'b').next() }}{{ dict(a=1) }}", 'a{"a": 1}'),
    ],
)
def test_what_people_write_is_as_it_was(template: str, made: str) -> None:
    assert of(template) == made


def test_what_is_not_there_is_told_as_before() -> None:
    with pytest.raises(BadCell, match="'nowhere' is undefined"):
        of("{% for a in nowhere %}{% endfor %}")
    with pytest.raises(BadCell, match="it prints a column that is null in this row"):
        of("{{ none }}")
    assert not {"random", "lipsum"} & (ENVIRONMENT.filters.keys() | ENVIRONMENT.globals.keys())
