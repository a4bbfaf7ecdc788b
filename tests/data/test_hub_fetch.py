"""Data sets fetched from a hub on loopback: known by their commit, bounded, and read again without a network."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, serving
from test_hub_source import table, write

from tunewright.core.hashing import hash_file, hash_value
from tunewright.data.rows import BadFile
from tunewright.data.sources import _hub_fetch

PROGRAM = """\
import json, sys
from pathlib import Path
from tunewright.data.files import contents, find_files
from tunewright.data.rows import BadFile
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec
spec, root = SourceSpec(**json.loads(sys.argv[1])), Path(sys.argv[2])
try:
    files = find_files(spec, root)
    rows = [row.values["input"] for file in files for row in open_file(file.path, spec).table.rows]
    told = {file.warning for file in files if file.warning}
    said = {"warning": told.pop()} if told else {}
    names = [file.name for file in files]
    print(json.dumps({"files": names, "rows": rows, "contents": contents(spec, root), **said}))
except BadFile as bad:
    print(json.dumps({"said": f"{bad.message} {bad.fix or ''}".strip()}))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as found:
        yield found


def asked(hub: Hub | None, root: Path, path: str = "hub:owner/name", **hub_spec: str) -> dict[str, Any]:
    """What a process finds that knows this hub, or none."""
    spec = json.dumps({"path": path, "hub": hub_spec or None})
    env = {
        **os.environ,
        "HF_HOME": str(root / "home"),
        "HF_HUB_DISABLE_XET": "1",
        **({"HF_ENDPOINT": hub.url} if hub else {"HF_HUB_OFFLINE": "1"}),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, spec, str(root)], env=env, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def files(**texts_of: str) -> dict[str, bytes]:
    return {name: table(text).encode() for name, text in texts_of.items()}


def test_a_data_set_is_fetched_and_known_by_its_commit(hub: Hub, tmp_path: Path) -> None:
    first = hub.push("owner/name", files(**{"train.csv": "a", "test.csv": "b", "big.bin": "x"}))
    found = {"files": ["hub:owner/name/test.csv"], "rows": ["b"], "contents": {"hub:owner/name@main": first}}
    assert asked(hub, tmp_path, split="test") == found
    assert not [path for path in hub.asked if path.startswith("GET /datasets") and "test.csv" not in path]
    today = datetime.now(UTC).date()
    again = asked(None, tmp_path, split="test")
    assert again.pop("warning") in {
        f"the hub could not be reached (OfflineModeIsEnabled), so owner/name is read at the commit {first[:10]}, where main"
        f" was on {day}; it may have moved on since."
        for day in (today, today - timedelta(days=1))
    }
    assert again == found
    assert "warning" not in asked(None, tmp_path, split="test", revision=first)
    assert asked(None, tmp_path, split="train")["said"].startswith(
        "train.csv of the data set owner/name could not be fetched ("
    )
    second = hub.push("owner/name", files(**{"train.csv": "a", "test.csv": "c"}))
    assert asked(hub, tmp_path, split="test")["contents"] == {"hub:owner/name@main": second}
    assert asked(hub, tmp_path, split="test", revision=first) == {
        **found,
        "contents": {f"hub:owner/name@{first}": first},
    }


AGAINST = """\
import sys
from pathlib import Path
from tunewright.project.file import ProjectFile
from tunewright.project.plan import Outside
recipe = [{"op": "decontaminate", "against": ["hub:owner/name", "mine.csv"]}]
file = ProjectFile(name="a", task={"system": "Answer."}, sources={"a": {"path": "mine.csv"}}, recipe=recipe)
print(Outside(file, Path(sys.argv[1])).hashes("recipe files"))
"""


def test_what_an_operation_reads_of_the_hub_is_known_by_its_commit(hub: Hub, tmp_path: Path) -> None:
    commit = hub.push("owner/name", files(**{"train.csv": "a"}))
    write(tmp_path, **{"mine.csv": table("b")})
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
    done = subprocess.run(
        [sys.executable, "-c", AGAINST, str(tmp_path)], env=env, capture_output=True, text=True, check=True
    )
    mine = hash_file(tmp_path / "mine.csv")
    assert done.stdout == f"{{'hub:owner/name@main': '{commit}', 'mine.csv': '{mine}'}}\n"


def test_files_of_a_data_set_by_a_pattern(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"x/a.csv": "a", "x/b.csv": "b", "c.csv": "c"}))
    assert asked(hub, tmp_path, "hub:owner/name/x/*.csv")["rows"] == ["a", "b"]
    assert asked(hub, tmp_path, "hub:owner/name/x/*.csv", split="train") == {
        "said": "'hub:owner/name/x/*.csv' names files by a pattern, and hub: names a split. Leave one of them out."
    }
    assert asked(hub, tmp_path, "hub:owner/name/*.json") == {
        "said": "no file of hub:owner/name matches '*.json'. See huggingface.co/datasets/owner/name."
    }


def test_what_the_hub_does_not_have(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"a.csv": "a"}))
    assert asked(hub, tmp_path, "hub:owner/other") == {
        "said": "there is no data set called owner/other on the hub, or it is private."
        " Look at its name; log in with `hf auth login` where it is private."
    }
    assert asked(hub, tmp_path, revision="v9") == {
        "said": "the data set owner/name has no revision v9. Set hub: {revision: …}."
    }
    assert asked(None, tmp_path)["said"].startswith(
        "the hub could not be reached for the data set owner/name (OfflineModeIsEnabled), and it was not fetched before."
    )


@pytest.mark.parametrize("lists", [True, False])
def test_what_is_too_large_is_not_fetched(hub: Hub, tmp_path: Path, lists: bool) -> None:
    """The hub says how large files are, all at once, or a mirror one by one."""
    hub.lists = lists
    hub.push("owner/name", files(**{"train-0.csv": "a", "train-1.csv": "b", "test.csv": "c"}))
    hub.said = {"train-0.csv": 2**34, "train-1.csv": 2**34 + 1, "test.csv": 2**35 - 1}
    assert asked(hub, tmp_path) == {
        "said": "2 files of the data set owner/name have 34,359,738,369 bytes, and up to 34,359,738,368 are fetched. Name"
        " fewer of its files (hub:owner/name/data/*-00000-*), or fetch them yourself and give the folder."
    }
    assert not [path for path in hub.asked if path.startswith("GET /datasets")]
    hub.said = {"test.csv": 2**35 - 1}
    assert asked(hub, tmp_path)["rows"] == ["a", "b"]
    full = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
    said = _told_after(
        "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9, 4, 5)", full, tmp_path
    )
    assert said == (
        "test.csv of the data set owner/name has 34,359,738,367 bytes, and the disk of the hub's cache has 5 free. Make"
        " room, or set HF_HOME."
    )


def _told_after(first: str, env: dict[str, str], root: Path) -> str:
    """What is said by a process that has done something first."""
    spec = json.dumps({"path": "hub:owner/name", "hub": {"split": "test"}})
    told = [sys.executable, "-c", f"{first}\n{PROGRAM}", spec, str(root)]
    done = subprocess.run(told, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["said"]


OLDER = """
import huggingface_hub
fetch = huggingface_hub.hf_hub_download
huggingface_hub.hf_hub_download = lambda repo, name, **more: fetch(repo, name, **more)
"""


@pytest.mark.parametrize("client", ["", OLDER], ids=["as it comes", "behind it"])
def test_sizes_that_are_not_told_are_counted(hub: Hub, tmp_path: Path, client: str) -> None:
    """Older clients cannot say how much has come of a file."""
    hub.push("owner/name", files(**{"test-0.csv": "a", "test-1.csv": "b" * 90_000}))
    hub.said = {"test-1.csv": -1}
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    bound = "from tunewright.data.sources import _hub_fetch\n_hub_fetch.FETCHED = 80_000\n"
    etag = hashlib.sha1(hub.commits["owner/name"][-1]["test-1.csv"]).hexdigest()
    part = tmp_path / "home/hub/datasets--owner--name/blobs" / f"{etag}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"as older clients leave it")
    assert _told_after(bound + client, env, tmp_path) == (
        "the files of the data set owner/name have more than 80,000 bytes, and no more are fetched. Name fewer of its"
        " files (hub:owner/name/data/*-00000-*), or fetch them yourself and give the folder."
    )
    assert part.exists() == bool(client)


def test_a_file_that_was_begun_counts_with_what_is_here() -> None:
    bar = _hub_fetch._bar("owner/name", 10)(initial=8, total=12, disable=True)
    bar.update(2)
    with pytest.raises(BadFile, match="more than 34,359,738,368 bytes"):
        bar.update(1)


def test_what_another_program_fetched_is_read_without_a_network(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"train-00000-of-00002.csv": "a", "train-00001-of-00002.csv": "b"}))
    fetch = (
        "from huggingface_hub import hf_hub_download as get\n"
        "get('owner/name', 'train-0000{}-of-00002.csv', repo_type='dataset')"
    )
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    subprocess.run([sys.executable, "-c", fetch.format(0)], env=env, check=True, capture_output=True)
    assert asked(None, tmp_path) == {
        "said": "hub:owner/name lacks the file train-00001-of-00002. Fetch it anew."
    }
    subprocess.run([sys.executable, "-c", fetch.format(1)], env=env, check=True, capture_output=True)
    found = asked(None, tmp_path)
    assert found["rows"] == ["a", "b"]
    assert ", where main was when it was fetched; it may have moved on since." in found["warning"]


def test_a_part_of_a_commit_is_not_taken_for_all_of_it(hub: Hub, tmp_path: Path) -> None:
    commit = hub.push("owner/name", files(**{"a.csv": "a", "b.csv": "b"}))
    fetch = (
        "from huggingface_hub import hf_hub_download as get\nget('owner/name', 'a.csv', repo_type='dataset')"
    )
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    subprocess.run([sys.executable, "-c", fetch], env=env, check=True, capture_output=True)
    found = asked(None, tmp_path, revision=commit)
    assert found["rows"] == ["a"]
    assert found["contents"] == {f"hub:owner/name@{commit}": f"{commit} {hash_value(['a.csv'])}"}
    assert asked(hub, tmp_path, revision=commit)["contents"] == {f"hub:owner/name@{commit}": commit}
