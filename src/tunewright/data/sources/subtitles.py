"""Subtitles (WebVTT, SRT): one row a turn, {text, speaker, start, end, document}, times in seconds; its number is its line.

A speaker is told by WebVTT's voice tags (`<v Anna>`), or by names before colons (`Anna: …`) where at least half of the cues
have one. Cues of one speaker that follow one another are one turn; where nobody is named, the file is one. What a cue
repeats of the one before, as rolling captions do, is left out; so are notes, styles and marks of the layout.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from pathlib import Path

from tunewright.data.rows import BadFile, Reject, Table
from tunewright.data.sources._documents import TALK_BYTES, clean, whole_text
from tunewright.data.sources._turns import Cue, turn_table

_ARROW = "-->"
_TIMES = re.compile(r"[ \t]*(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})[ \t]*")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)(?:[ \t]|$)")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?[ \t]+([^>\n]{1,200})>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>\n]{0,200}>|\{\\[^{}\n]{0,100}\}")
_NAMED = re.compile(r"(?:>> ?)?([^\W\d_][\w .'’()-]{0,39}?)[ \t]?:[ \t]+(?=\S)")
_GAP = 0.05
"""The most seconds between two captions that roll, and that a caption lasts which only shows a line again."""
_ROLLING = 10
"""The most lines of a caption that are shown again."""
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a file of subtitles. Raises BadFile where no line of it has times."""
    text = whole_text(path, encoding, TALK_BYTES)
    if _ARROW not in text:
        raise BadFile(
            "the file has no times of subtitles (00:01.000 --> 00:02.000).", fix="Set format: text."
        )
    return turn_table(path, _without_repeats(_with_speakers(list(_cues(text)))))


def _cues(text: str) -> Iterator[Cue | Reject]:
    """The cues as they are written; one whose times cannot be read is a reject."""
    for number, lines in _blocks(text):
        at = next((at for at, line in enumerate(lines) if _ARROW in line), None)
        raw = "\n".join(lines)[:_RAW]
        if at is None or _ASIDE.match(lines[0]):
            if not _ASIDE.match(lines[0]) and raw.strip():
                yield Reject(number, "bad cue: it has no times", raw)
            continue
        start, _, end = lines[at].partition(_ARROW)
        begins, ends = _seconds(start), _seconds(end)
        if begins is None or ends is None or ends < begins:
            shown = " ".join(lines[at].split())[:60]
            yield Reject(number, f"bad cue: its times cannot be read ({shown!r})", raw)
        else:
            yield Cue(number, begins, ends, None, "\n".join(lines[at + 1 :]))


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that no empty one parts, with the number of their first; one of blanks parts them where a cue follows it."""
    block: list[str] = []
    lines = [*text.split("\n"), ""]
    for number, line in enumerate(lines, 1):
        if line and (line.strip() or not any(_ARROW in after for after in lines[number : number + 2])):
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _seconds(written: str) -> float | None:
    """The time at the head of a text; settings of the layout may follow it."""
    found = _TIMES.match(written)
    if not found or int(found[3]) > 59:
        return None
    seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])
    return round(seconds + int(found[4].ljust(3, "0")) / 1000, 3)


def _with_speakers(cues: Sequence[Cue | Reject]) -> list[Cue | Reject]:
    """The cues with their speakers, and without their marks."""
    heads = [_NAMED.match(_plain(cue.text)) for cue in cues if isinstance(cue, Cue) and cue.text.strip()]
    by_colon = sum(map(bool, heads)) * 2 >= len(heads) > 0
    told: list[Cue | Reject] = []
    speaker = None
    for cue in cues:
        if isinstance(cue, Reject):
            told.append(cue)
            continue
        for name, text in _voices(cue.text):
            plain = _plain(text)
            named = _NAMED.match(plain) if by_colon and name is None else None
            if named:
                speaker, plain = clean(named[1]), plain[named.end() :]
            elif (
                name is not None or not by_colon
            ):  # without a name of its own, a cue goes on as the one before it
                speaker = name
            told.append(cue._replace(speaker=speaker, text=plain))
    return told


def _voices(text: str) -> Iterator[tuple[str | None, str]]:
    """The parts of a cue with the voices that speak them."""
    name, at = None, 0
    for voice in _VOICE.finditer(text):
        if text[at : voice.start()].strip():
            yield name, text[at : voice.start()]
        name, at = clean(unescape(voice[1])), voice.end()
    yield name, text[at:]


def _plain(text: str) -> str:
    return unescape(_TAG.sub("", text))


def _without_repeats(cues: Iterable[Cue | Reject]) -> Iterator[Cue | Reject]:
    """Rolling captions show a line again above the next one: lines at a cue's head that ended the one before are left out.

    Only where the cue follows at once, and says something more or lasts no time: who says a thing twice is written twice.
    """
    before: list[str] = []
    last: Cue | None = None
    for cue in cues:
        if isinstance(cue, Reject):
            yield cue
            continue
        lines = [line.strip() for line in cue.text.split("\n") if line.strip()]
        shown = lines
        if last and _between(last.start, cue.start) > 0 and _between(last.end, cue.start) <= _GAP:
            brief = _between(cue.start, cue.end) <= _GAP
            counts = range(min(len(lines) - (not brief), len(before), _ROLLING), 0, -1)
            shown = lines[next((count for count in counts if before[-count:] == lines[:count]), 0) :]
        before, last = lines or before, cue
        yield cue._replace(text="\n".join(shown))


def _between(one: float | None, other: float | None) -> float:
    return (other or 0.0) - (one or 0.0)
