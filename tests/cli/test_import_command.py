"""`tunewright import`: what is written, what is said, what is refused."""

import json
from pathlib import Path

from tunewright.project.reading import read

CONFIG = """
base_model: Qwen/Qwen3-0.6B
adapter: lora
lora_r: 16
datasets:
  - path: rows.json
    type: alpaca
sequence_len: 512
num_epochs: 1
excess_length_strategy: drop
val_set_size: 0.1
deepspeed: ds.json
fsdp_version: 2
output_dir: out
sampel_packing: true
"""
ROWS = [{"instruction": "Q", "input": "", "output": "A"}]


def test_a_config_becomes_a_project(cli, tmp_path: Path):
    (tmp_path / "axolotl.yaml").write_text(CONFIG)
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    said = cli("import", "axolotl.yaml", "--to", "mine")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "carried over: 8"
        " base_model: Qwen/Qwen3-0.6B → base"
        " adapter: lora → train.adapter.kind"
        " lora_r: 16 → train.adapter.rank"
        " datasets[0].type: alpaca → form alpaca"
        " datasets[0].path: rows.json → sources.rows-json.path (the first 1 rows have this form)"
        " sequence_len: 512 → train.max_length"
        " num_epochs: 1 → train.epochs"
        " excess_length_strategy: drop → train.over_long"
        " carried over, and changed: 1"
        " val_set_size: 0.1 → split (as much again is kept for the test, which dev never sees)"
        " without counterpart: 4"
        " training runs on one device: deepspeed, fsdp_version"
        " results lie in the project's store, named by their content: output_dir"
        " unknown: no key of Axolotl that is known here. Did you mean 'sample_packing'?: sampel_packing"
        " mine/tunewright.yaml is written: read it, then run `tunewright check`."
    )
    assert read(tmp_path / "mine/tunewright.yaml").train.adapter.rank == 16


def test_it_is_told_as_json(cli, tmp_path: Path):
    (tmp_path / "axolotl.yaml").write_text(CONFIG)
    told = json.loads(cli("import", "axolotl.yaml", "--json").out)
    assert (told["path"], told["tool"]) == ("tunewright.yaml", "axolotl")
    assert told["keys"][1] == {
        "key": "adapter",
        "value": "lora",
        "fate": "carried",
        "to": "train.adapter.kind",
        "why": "",
    }


def test_what_is_there_stays_and_what_is_unknown_is_said(cli, tmp_path: Path):
    (tmp_path / "axolotl.yaml").write_text(CONFIG)
    assert cli("import", "axolotl.yaml").code == 0
    assert cli("import", "axolotl.yaml") == (
        2,
        "",
        "error: tunewright.yaml: there is a project here already. Choose another folder with --to.",
    )
    (tmp_path / "other.yaml").write_text("compute_environment: LOCAL_MACHINE\n")
    said = cli("import", "other.yaml", "--to", "mine")
    assert said.err.startswith(
        "error: other.yaml: the keys are those of no tool that is known here. Name the config"
    )
    said = cli("import", "gone.yaml", "--to", "mine")
    assert said.err == "error: gone.yaml: there is no such file. Name a config as it is seen from here."


def test_an_imported_project_takes_in_its_rows(cli, tmp_path: Path):
    import tunewright

    (tmp_path / "axolotl.yaml").write_text(CONFIG)
    rows = [{"instruction": f"Say {name}.", "output": name} for name in map(str, range(40))]
    (tmp_path / "rows.json").write_text(json.dumps([*rows, {"instruction": "Say nothing.", "output": ""}]))
    assert cli("import", "axolotl.yaml", "--to", "mine").code == 0
    project = tunewright.open(tmp_path / "mine", settings={"data.reject_budget": 0.1})
    (outcome,) = project.run("ingest").outcomes
    summary = json.loads(outcome.artifact.file("summary.json").read_text("utf-8"))
    assert (summary["examples"], summary["rejects"]) == (40, 1)
    assert summary["reasons"] == {"empty text": 1}
