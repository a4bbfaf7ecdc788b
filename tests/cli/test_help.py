"""What the command line tells of itself: the steps, a field, what is unknown."""

from tunewright.project.steps import STEPS


def test_run_lists_the_steps_and_where_fields_are_explained(cli):
    said = cli("run", "--help")
    assert said.code == 0
    listed = " ".join(f"{step.name} {step.title}" for step in STEPS)
    assert (
        f"Steps, in order: {listed} Every setting is a field of the project file: `tunewright schema "
        in said.out
    )


def test_a_field_is_told_by_its_name(cli):
    assert cli("schema", "train.adapter.rank").out == (
        "train.adapter.rank Rank r of the update; more for new skills, less for a format. Left out, chosen from the data."
        " type: whole number or none default: none"
    )
    said = cli("schema", "train.precision").out
    assert "choices: auto, fp32, bf16 default: 'auto'" in said
    assert cli("schema", "name").out.endswith("type: text required")


def test_a_field_with_fields_lists_them(cli):
    said = cli("schema", "recipe").out
    assert "choices: balance, boilerplate, chunk, clean, decontaminate, drop_contradictions, " in said
    assert (
        "Sample: Keep a seeded random sample, put rows into a seeded random order, or both. id Its name"
        in said
    )
    assert "op Chooses this op. rows How many rows to keep." in said


def test_an_unknown_field_is_refused(cli):
    said = cli("schema", "train.adapter.rnk")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "error: train.adapter.rnk is not a setting. Did you mean train.adapter.rank or "
    )


def test_an_unknown_step_is_told_the_nearest(cli, tmp_path):
    (tmp_path / "tunewright.yaml").write_text(
        "name: n\ntask: {system: s}\nsources: {rows: {path: rows.csv}}\n"
    )
    said = cli("run", "trian")
    assert said.code == 2
    assert said.err.endswith("decide, release, report. Did you mean train?")


def test_doctor_of_no_folder(cli):
    assert cli("doctor", "-p", "gone") == (
        2,
        "",
        "error: gone: there is no such folder. Name a folder that is there.",
    )
