"""Fields by dotted name, and how they are shown."""

import pytest

from tunewright.core.errors import UserError
from tunewright.project.fields import dotted_names, field_docs, find_field
from tunewright.project.file import ProjectFile
from tunewright.project.page import page
from tunewright.project.reading import read


def found(name):
    return find_field(ProjectFile, name)


def test_a_field_by_its_name():
    rank = found("train.adapter.rank")
    assert rank.doc == (
        "Rank r of the update; more for new skills, less for a format. Left out, chosen from the data."
    )
    assert (rank.name, rank.kind, rank.default) == ("train.adapter.rank", "whole number or none", "none")
    assert found("train.schedule").choices == ("cosine", "linear", "constant", "wsd")
    assert found("task.output").choices == ("text", "json")
    assert found("name").default == "required"


def test_every_name_there_is_finds_its_own_field():
    names = list(dotted_names((ProjectFile,)))
    assert len(names) == len(set(names))
    for name in names:
        last = name.rpartition(".")[2]
        (own,) = [doc for doc in field_docs(found(name).owner) if doc.name == last]
        assert found(name) == own._replace(name=name)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("sources.tickets.path", "sources.path"),
        ("sources.path.path", "sources.path"),
        ("sources.tickets", "sources"),
        ("recipe.0.repairs", "recipe.clean.repairs"),
        ("suites.target.graders.0.regex.pattern", "suites.graders.regex.pattern"),
        ("suites.target.graders.pattern", "suites.graders.regex.pattern"),
        ("gates.min_scores.json_schema", "gates.min_scores"),
        ("task.output.schema.properties.kind", "task.output.json.schema"),
    ],
)
def test_keys_and_indices_stand_where_set_has_them(name, same):
    assert found(name) == found(same)._replace(name=name)


def test_the_name_of_one_of_several_models_is_that_model():
    sample = found("recipe.sample")
    assert (sample.doc, [model.__name__ for model in sample.models]) == (
        "Keep a seeded random sample, put rows into a seeded random order, or both.",
        ["Sample"],
    )


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("rank", "Did you mean train.adapter.rank?"),
        ("train.adaptor.rank", "Did you mean train.adapter.rank?"),
        ("train.ephocs", "Did you mean train.epochs"),
        ("recipe.x.repairs", "Did you mean recipe.clean.repairs?"),
        ("sources.a.b.path", "Did you mean sources.path?"),
        ("zzz", "docs/project-file.md has them all."),
        ("", "docs/project-file.md has them all."),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name, fix):
    with pytest.raises(UserError, match="is not a setting") as caught:
        found(name)
    assert caught.value.fix.startswith(fix)


def test_a_name_of_several_models_asks_which():
    with pytest.raises(UserError) as caught:
        found("suites.target.graders.ignore_case")
    assert str(caught.value) == (
        "suites.target.graders.ignore_case stands in 3 models. Say which: "
        "suites.target.graders.exact_match.ignore_case, suites.target.graders.contains.ignore_case, "
        "suites.target.graders.field_accuracy.ignore_case."
    )


def test_the_suites_that_are_shown_as_the_default_are_those_that_are_read(tmp_path):
    shown = found("suites").default
    assert shown == "{'target': {'examples': 'test'}, 'general': {'examples': 'general'}}"
    assert f"| `{shown}` |" in page()
    (tmp_path / "tunewright.yaml").write_text(
        "name: n\ntask: {system: s}\nsources: {rows: {path: rows.csv}}\n"
    )
    suites = read(tmp_path / "tunewright.yaml").suites
    assert str({name: {"examples": suite.examples} for name, suite in suites.items()}) == shown
