"""Settings do not change once they are read, and take no name that they do not have."""

import pytest
from pydantic import ValidationError

from tunewright.core.spec import Spec
from tunewright.core.task import TaskSpec
from tunewright.project.file import ProjectFile
from tunewright.project.page import settings_models
from tunewright.train.spec import SettledAdapter, SettledSpec

SPECS = [*settings_models(ProjectFile), SettledSpec, SettledAdapter]


@pytest.mark.parametrize("model", SPECS, ids=lambda model: model.__name__)
def test_a_spec_is_frozen(model):
    assert issubclass(model, Spec)
    spec = model.model_construct()
    for name in model.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(spec, name, None)


def test_what_is_below_is_frozen_too():
    file = ProjectFile.model_validate(
        {"name": "n", "task": {"system": "s"}, "sources": {"rows": {"path": "rows.csv"}}}
    )
    with pytest.raises(ValidationError, match="frozen"):
        file.train.adapter.rank = 4
    assert file.train.adapter.rank is None
    with pytest.raises(ValidationError, match="Extra inputs"):
        TaskSpec.model_validate({"sistem": "s"})
