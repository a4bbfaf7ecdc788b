import pytest
from sorting import write_project


@pytest.fixture
def small_project(tmp_path):
    """The folder of a project small enough to be run whole in seconds."""
    return write_project(tmp_path / "sorting")


@pytest.fixture
def one_thread(monkeypatch):
    """Runs compute with one thread: the same bytes on any machine, and room for the tests beside."""
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
