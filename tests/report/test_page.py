"""The report page: well-formed, self-contained, safe with hostile text, the same each time, and whole with parts missing."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from report_sample import card, sample, tickets

from tunewright.core.grading import Score
from tunewright.decide.decide import decide
from tunewright.decide.spec import GatesSpec, PriceSpec
from tunewright.report.data import ExampleText, LineageNode, LossPoint, ReportData, Segment
from tunewright.report.page import render

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\x00\u202e\ud800"


class Page(HTMLParser):
    """Checks nesting; gathers tags, attributes and text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts, self.ids = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)


@pytest.fixture(scope="module")
def report():
    return sample(rows=120)


@pytest.fixture(scope="module")
def html(report):
    return render(report)


def bare(**changes):
    """The least a report can be: one example, no general suite, no slices, no prices."""
    rows = list(tickets(1))
    plain = [
        c.model_copy(update={"replies": tuple(r.model_copy(update={"slices": {}}) for r in c.replies)})
        for c in (card("fine-tune", 1.0, rows, seed=0), card("prompt", 0.2, rows, seed=1))
    ]
    verdict = decide(plain[0], plain[1:], gates=GatesSpec(), prices=PriceSpec())
    return ReportData(project="p", verdict=verdict, **changes), plain


def test_it_is_well_formed_and_its_sections_are_in_order(html):
    page = Page(html)
    headings = re.findall(r"<h2 id=\"(\w+)-title\">", html)
    assert headings == [
        "variants",
        "examples",
        "slices",
        "general",
        "training",
        "mask",
        "data",
        "cost",
        "lineage",
        "reproduce",
    ]
    assert len(page.ids) == len(set(page.ids))
    links = {value[1:] for name, value in page.attributes if name == "href"}
    assert links <= set(page.ids)
    assert "Fine-tuning helps" in page.text
    assert len(html) < 300_000


def test_it_loads_nothing_and_runs_nothing(html):
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style", "srcset")]
    assert all(value.startswith("#") for name, value in page.attributes if name in ("href", "xlink:href"))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_policy_names_the_style_sheet_by_its_hash(html):
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert style is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#39;", "'").startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_hostile_text_stays_text(report):
    cards = tuple(
        c.model_copy(
            update={
                "replies": tuple(
                    r.model_copy(
                        update={"text": HOSTILE, "scores": {g: Score(0.0, HOSTILE) for g in r.scores}}
                    )
                    for r in c.replies
                )
            }
        )
        for c in report.cards
    )
    hostile = report.model_copy(
        update={
            "project": HOSTILE,
            "verdict": report.verdict.model_copy(update={"words": HOSTILE, "candidate": "fine-tune"}),
            "task": {HOSTILE: HOSTILE},
            "cards": cards,
            "examples": {key: ExampleText(HOSTILE, HOSTILE + "!", HOSTILE) for key in report.examples},
            "train": {HOSTILE: HOSTILE, "rows": [{HOSTILE: HOSTILE}]},
            "mask_samples": ((Segment(HOSTILE, True),),),
            "audit": {
                "findings": [{"severity": HOSTILE, "title": HOSTILE, "examples": [HOSTILE]}],
                "t": {HOSTILE: 3},
            },
            "ingest": {HOSTILE: {HOSTILE: 1}},
            "lineage": (LineageNode(HOSTILE, HOSTILE, (HOSTILE,), {HOSTILE: HOSTILE}, HOSTILE),),
            "commands": (HOSTILE,),
            "project_file": HOSTILE,
            "laid_over": (HOSTILE,),
            "seeds": {HOSTILE: 0},
            "versions": {HOSTILE: HOSTILE},
            "created": HOSTILE,
        }
    )
    html = render(hostile)
    page = Page(html)
    assert not {"script", "img"} & set(page.tags)
    assert "onerror" not in {name for name, _ in page.attributes}
    assert "{{ 7*7 }}" in page.text
    assert "⟨0000⟩⟨202E⟩⟨D800⟩" in page.text
    html.encode("utf-8")
    assert not re.search("[\x00\u202e]", html)


def test_the_project_file_as_used_its_settings_and_seeds(report):
    used = report.model_copy(
        update={
            "project_file": "name: t\ntask:\n  system: <Answer>\n",
            "laid_over": ("train.epochs=2", "train.seed=7"),
            "seeds": {"split.seed": 0, "train.seed": 7},
        }
    )
    html = render(used)
    Page(html)
    part = html.split('id="reproduce-title"')[1]
    assert '<pre class="code">name: t\ntask:\n  system: &lt;Answer&gt;\n</pre>' in part
    assert "<code>train.epochs=2</code>, <code>train.seed=7</code>" in part
    assert "<dt>split.seed</dt><dd>0</dd>\n  <dt>train.seed</dt><dd>7</dd>" in part
    file = re.search(r"<details class=\"file\">.*?</details>", part, re.DOTALL)
    assert file is not None
    assert "as it was used, --set laid over it" in file[0]
    assert "--set" not in render(used.model_copy(update={"laid_over": ()})).split("The project file")[1]


def test_equal_data_gives_an_equal_page(report, html):
    assert render(report) == html
    assert render(ReportData.model_validate(report.model_dump())) == html


def test_the_least_report_is_whole():
    data, _ = bare()
    html = render(data)
    page = Page(html)
    assert re.findall(r"<h2 id=\"(\w+)-title\">", html) == ["variants", "cost"]
    assert "Cannot tell from 1 example" in page.text
    assert "No token prices are set" in page.text


def test_one_example_without_its_text():
    data, cards = bare(cards=())
    page = Page(render(data.model_copy(update={"cards": tuple(cards)})))
    assert "The fine-tune has no answer with a score below 100 %." in page.text
    assert "(the text is not at hand)" in page.text


def test_an_answer_too_long_to_compare_is_not_shown_as_right():
    data, cards = bare()
    long = [card.model_copy(update={"replies": (wrong(card.replies[0]),)}) for card in cards]
    name = long[0].replies[0].example
    texts = {name: ExampleText("which?", "1," * 400)}
    html = render(data.model_copy(update={"cards": tuple(long), "examples": texts}))
    Page(html)
    assert (
        '<span class="empty">Too long to compare word by word, so no difference is marked:\n</span>2,' in html
    )


def wrong(reply):
    """The reply with another long text, scored 0."""
    return reply.model_copy(
        update={"text": "2," * 400, "scores": {g: Score(0.0, None) for g in reply.scores}}
    )


def test_training_without_dev():
    data, _ = bare(history=(LossPoint(1, 2.0), LossPoint(2, 1.0)))
    page = Page(render(data))
    assert "Loss by step: 2 training steps" in page.text
    assert "dev loss" not in page.text


def test_losses_that_are_no_numbers():
    data, _ = bare(history=(LossPoint(1, float("nan")),), dev=(LossPoint(1, 0.0),))
    assert "dev loss" in Page(render(data)).text


@pytest.mark.parametrize("kind", ["fails", "unsure"])
def test_every_outcome_renders(kind):
    data = sample(kind, rows=60)
    text = Page(render(data)).text
    assert ("Held back" if not data.verdict.releasable else "Ready for release") in text
    assert ("general skill loses" in text) is (kind == "fails")


def test_a_large_report_stays_small(report):
    """Long texts, many steps, many slices and many audit rows are cut: the page stays under a megabyte."""
    long = "word " * 20_000
    large = report.model_copy(
        update={
            "examples": {key: ExampleText(long, long) for key in report.examples},
            "history": tuple(LossPoint(step, 1 / (step + 1)) for step in range(50_000)),
            "audit": {
                "tables": {"labels": {f"label {n}": n for n in range(5000)}, "rows": [{"a": long}] * 5000}
            },
            "mask_samples": ((Segment(long, True),),) * 5,
        }
    )
    assert len(render(large)) < 1_000_000
