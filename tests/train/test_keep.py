"""The adapters of the last looks at dev, kept beside the best."""

import json

import pytest
import torch
from test_run import SPEC, Cut, contents, run

from tunewright.models.load import load_model


@pytest.fixture(scope="module")
def plain(tiny_base, tmp_path_factory):
    """What a run leaves that keeps the best alone."""
    folder = tmp_path_factory.mktemp("plain")
    run(folder, tiny_base)
    return contents(folder / "out")


def test_the_last_looks_are_kept_as_adapters(plain, tiny_base, tmp_path):
    """As trained, whatever the strength; and what was kept before is the same."""
    spec = SPEC.model_copy(update={"keep": 3})
    summary = run(tmp_path, tiny_base, spec)
    out = tmp_path / "out"
    folders = sorted((out / "checkpoints").iterdir(), key=lambda path: int(path.name.removeprefix("step-")))
    looks = [line["step"] for line in json.loads((out / "history.json").read_text())["dev"]]
    assert [path.name for path in folders] == [f"step-{step}" for step in looks[-3:]]
    kept = {name: data for name, data in contents(out).items() if not name.startswith("checkpoints")}
    assert kept == plain
    ids = torch.tensor([[1, 5, 9, 40]])
    said = [load_model(tiny_base, adapter=path)(input_ids=ids).logits for path in folders]
    assert not torch.equal(said[0], said[1])
    assert not torch.equal(said[1], said[2])
    best = load_model(tiny_base, adapter=out / "adapter")(input_ids=ids).logits
    assert torch.equal(best, said[looks[-3:].index(summary.best_step)])
    half = tmp_path / "half"
    run(half, tiny_base, spec.model_copy(update={"strength": 0.5}))
    assert contents(half / "out/checkpoints") == contents(out / "checkpoints")
    assert contents(half / "out/adapter") != contents(out / "adapter")


@pytest.mark.parametrize("point", ["train.dev", "train.step", "train.check"])
def test_cut_off_it_keeps_the_same_looks(point, tiny_base, tmp_path):
    spec = SPEC.model_copy(update={"keep": 2, "dev_every": 2})
    run(tmp_path / "whole", tiny_base, spec)

    def cut(kind, **data):
        if kind == point and data["step"] > 5:
            raise Cut

    with pytest.raises(Cut):
        run(tmp_path / "cut", tiny_base, spec, emit=cut)
    run(tmp_path / "cut", tiny_base, spec)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")
    assert len(list((tmp_path / "cut/out/checkpoints").iterdir())) == 2
