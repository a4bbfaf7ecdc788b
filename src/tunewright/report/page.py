"""The report page: one HTML file that loads nothing and runs no script.

    html = render(ReportData(project="my-tickets", verdict=verdict, ...))

Replies, rows and ids are untrusted. Every text is escaped by the templates, hidden characters are written out, and the
page's own Content-Security-Policy lets in nothing but its one style sheet, named by its hash.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

from tunewright.decide.compare import JUDGED
from tunewright.decide.phrase import count
from tunewright.report import evidence, examples, headline, scores
from tunewright.report.audit import audit_parts, audit_view, ingest_view
from tunewright.report.data import ReportData
from tunewright.report.frame import drawn
from tunewright.report.plots import loss_curve
from tunewright.report.tables import split_facts


class Section(NamedTuple):
    """One section: its anchor, its heading, and the template that draws it."""

    id: str
    title: str

    @property
    def template(self) -> str:
        """The template's file."""
        return f"{self.id}.html.jinja"


def render(data: ReportData) -> str:
    """The page as HTML. Equal data gives an equal page."""
    return drawn(
        "page.html.jinja",
        data=data,
        verdict=data.verdict,
        view=SimpleNamespace(**_view(data)),
        sections=_sections(data),
    )


def _sections(data: ReportData) -> list[Section]:
    """The sections there is something to show in, in reading order."""
    verdict = data.verdict
    present = (
        ("variants", "Variants", bool(verdict.variants)),
        ("examples", "What changed", bool(data.cards)),
        ("slices", "Slices", bool(verdict.slices)),
        ("general", "General skill", verdict.general is not None),
        ("training", "Training", bool(data.history or data.dev or data.train)),
        ("mask", "What it learnt to say", bool(data.mask_samples)),
        ("data", "The data", bool(data.audit or data.ingest)),
        ("cost", "Cost and time", bool(verdict.variants)),
        ("lineage", "Lineage", bool(data.lineage)),
        ("reproduce", "Reproduce", bool(data.commands or data.project_file or data.versions or data.task)),
    )
    return [Section(name, title) for name, title, shown in present if shown]


def _view(data: ReportData) -> dict[str, Any]:
    """What the templates show, by name."""
    return {**_top(data), **_scores(data), **_answers(data), **_evidence(data)}


def _top(data: ReportData) -> dict[str, Any]:
    verdict = data.verdict
    title, words = headline.title_and_words(verdict)
    return {
        "title": title,
        "words": words,
        "tone": headline.tone(verdict),
        "figures": headline.figures(verdict),
        "release": headline.release(verdict),
        "examples": count(verdict.comparisons[0].examples, "example") if verdict.comparisons else "",
        "confidence": f"{100 * verdict.confidence:g} %",
    }


def _scores(data: ReportData) -> dict[str, Any]:
    verdict = data.verdict
    return {
        "scores": scores.score_plots(verdict),
        "differences": scores.difference_plot(verdict),
        "comparisons": scores.comparison_table(verdict.comparisons),
        "graders": scores.grader_tables(verdict),
        "slices": scores.slice_plots(verdict.slices),
        "judged": JUDGED,
        "base": verdict.general.rival if verdict.general else "",
        "general": scores.general_plot(verdict),
    }


def _answers(data: ReportData) -> dict[str, Any]:
    worst = examples.worst(data)
    baseline = examples.baseline_name(data)
    ten = {1: "The one answer that is not right", examples.SHOWN: "The ten worst answers"}
    return {
        "worst": worst,
        "worst_title": ten.get(len(worst), f"The {len(worst)} answers that are not right"),
        "changed": examples.changed(data),
        "baseline": baseline or "the baseline",
        "examples_lead": f"The fine-tune beside {baseline}, the best baseline."
        if baseline
        else "The fine-tune's replies.",
    }


def _evidence(data: ReportData) -> dict[str, Any]:
    train_facts, train_tables, _ = split_facts(data.train)
    ingest, audit = ingest_view(data.ingest), audit_view(data.audit)
    return {
        "curve": loss_curve(data.history, data.dev),
        "train_facts": train_facts,
        "train_tables": train_tables,
        **audit_parts(audit, ingest, audited=bool(data.audit)),
        "cost": evidence.cost_table(data),
        "cost_note": evidence.cost_note(data),
        "lineage": evidence.lineage_view(data.lineage),
        "task": list(data.task.items()),
        "seeds": [(name, str(seed)) for name, seed in data.seeds.items()],
        "versions": list(data.versions.items()),
    }
