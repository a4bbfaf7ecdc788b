"""Data sets on the Hugging Face hub, and folders laid out as one: which files are read, and where they lie.

    hub:owner/name            the split that `hub:` says, by the data set's layout (_layout.py)
    hub:owner/name/data/*.csv the files of the data set that a pattern takes

A revision is the commit that it stands for (_hub_commit.py), which is what the source's content goes by. Only files of rows
are fetched, within bounds (_hub_fetch.py), and no code is run.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.hashing import hash_value
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HUB, HubSpec
from tunewright.data.sources._hub_commit import commit_of
from tunewright.data.sources._hub_fetch import fetched
from tunewright.data.sources._layout import CARD, matching, split_files

CARD_BYTES = 2 * 2**20
"""The most bytes of the settings at the head of a data set's card."""
FILES = 100_000
"""The most files of a folder that is looked through."""
_ID = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:/(.+))?")
_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)", re.DOTALL)
_CONFIGS = re.compile(r"^configs:.*(?:\n(?:[ \t#\]}-].*)?)*", re.MULTILINE)
"""A setting and all lines below it that are indented, or a list's."""


class HubFiles(NamedTuple):
    """The files of a data set that hold the rows."""

    paths: list[Path]
    names: list[str]
    """In the data set."""
    older: str | None
    """Where the hub could not say whether there is a newer commit: that, in a sentence."""


def folder_files(folder: Path, spec: HubSpec, what: str) -> HubFiles:
    """The files of a folder in the hub's layout. Raises BadFile, OSError."""
    names = []
    for path in folder.rglob("*"):
        if path.is_file():
            names.append(path.relative_to(folder).as_posix())
        if len(names) > FILES:
            raise BadFile(f"{what} holds more than {FILES:,} files.", fix="Name its files by a pattern.")
    card = _card(folder / CARD, what) if CARD in names else {}
    found = split_files(names, card, spec, what)
    return HubFiles([folder / name for name in found], found, None)


def hub_files(path: str, spec: HubSpec) -> HubFiles:
    """The files of a data set on the hub, fetched where they are not at hand. Raises BadFile, OSError."""
    asked = _ID.fullmatch(path)
    if asked is None:
        raise BadFile(f"{path!r} names no data set on the hub.", fix="Write hub:owner/name.")
    repo, pattern = asked[1], asked[2]
    what = f"{HUB}{repo}"
    at = commit_of(repo, spec)
    if pattern is not None:
        if stray := {"config", "split"} & spec.model_fields_set:
            raise BadFile(
                f"{path!r} names files by a pattern, and hub: names a {min(stray)}.",
                fix="Leave one of them out.",
            )
        found = matching(at.names, pattern)
        if not found:
            raise BadFile(
                f"no file of {what} matches {pattern!r}.", fix=f"See huggingface.co/datasets/{repo}."
            )
    else:
        card = _card(fetched(repo, at, [CARD])[0], what) if CARD in at.names else {}
        found = split_files(at.names, card, spec, what)
    return HubFiles(fetched(repo, at, found), found, at.older)


def hub_content(path: str, spec: HubSpec) -> str:
    """What a data set on the hub is known by: the commit that its revision stands for. Raises BadFile.

    Without a network, of a commit that another program fetched, its files that are there are part of it: it may lack some.
    """
    asked = _ID.fullmatch(path)
    if asked is None:
        raise BadFile(f"{path!r} names no data set on the hub.", fix="Write hub:owner/name.")
    at = commit_of(asked[1], spec)
    return at.commit if at.whole else f"{at.commit} {hash_value(at.names)}"


def _card(path: Path, what: str) -> dict[str, Any]:
    """The configurations at the head of a card; none where it has none. Raises BadFile.

    The rest of the settings (what columns there are, in hundreds of kilobytes for some) is not looked at.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    with path.open("rb") as stream:
        text = stream.read(CARD_BYTES).decode("utf-8", "replace")
    head = _FRONT.match(text)
    if head is None and len(text) > CARD_BYTES // 4 and text.lstrip("\ufeff").startswith("---"):
        raise BadFile(f"the settings in the card of {what} have more than {CARD_BYTES:,} bytes.")
    configs = _CONFIGS.search(head[1]) if head else None
    if configs is None:
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(configs[0])
    except (YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:100]
        why = said if said.isprintable() else "they are no YAML"
        raise BadFile(f"the settings in the card of {what} cannot be read ({why}).") from None
    return found if isinstance(found, dict) else {}
