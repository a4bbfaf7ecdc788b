"""New words through the main job: the gate, training, the release and a chat know them."""

from pathlib import Path

import pytest
from sorting import write_project

import tunewright
from tunewright.core.message import Message


@pytest.mark.usefixtures("one_thread")
def test_new_words_through_the_main_job(tmp_path: Path) -> None:
    settings = {
        "train.adapter.new_words": ["praise"],
        "train.epochs": 1,
        "gates.beats_baselines": False,
        "gates.max_general_loss": 100,
    }
    project = tunewright.open(write_project(tmp_path / "sorting"), settings=settings)
    checked = project.check()
    assert checked.problems == []
    result = project.run()
    assert result.production
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    assert made["train"].file("adapter/tokenizer.json").is_file()
    reply = project.chat([Message(role="user", content="I love the lamp.")])
    assert reply.error is None
    wrong = tunewright.open(
        project.root, settings={**settings, "train.adapter.new_words": ["praise", "Velora"]}
    )
    (problem,) = wrong.check().problems
    assert "1 of 2 new words stand in no training row, 'Velora' among them" in str(problem)
    known = tunewright.open(project.root, settings={**settings, "train.adapter.new_words": ["the"]})
    (problem,) = known.check().problems
    assert "'the' is one token of the base's already" in str(problem)
