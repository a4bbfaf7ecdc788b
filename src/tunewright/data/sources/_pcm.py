"""Sound as samples, decoded in a process of its own (see _apart.py); audio.py asks it.

    {"open": path, "to": file, "most": samples}     → {"samples": count} or {"refused": reason}

The file holds 16-bit samples of one channel, RATE a second, in the machine's byte order.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from tunewright.data.sources._apart import serve

RATE = 16_000
"""Samples a second, as speech recognition wants them."""


def decode(request: dict[str, Any]) -> dict[str, Any]:
    """Decode a file of sound into another. What FFmpeg cannot read is refused, with its reason."""
    import av

    try:
        with av.open(request["open"], metadata_errors="ignore") as sound, open(request["to"], "wb") as out:
            if not sound.streams.audio:
                return {"refused": "there is no sound in it"}
            return _written(sound, out, request["most"])
    except (av.FFmpegError, ValueError, OSError, MemoryError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return {"refused": " ".join(said.split())[:100]}


def _written(sound: Any, out: BinaryIO, most: int) -> dict[str, Any]:
    import av

    resampler, count = av.AudioResampler(format="s16", layout="mono", rate=RATE), 0
    for frame in _frames(sound):
        for part in resampler.resample(frame):
            out.write(part.to_ndarray().tobytes())
            count += part.samples
        if count > most:
            return {"refused": f"it is longer than {most // RATE / 3600:g} hours"}
    return {"samples": count}


def _frames(sound: Any) -> Iterator[Any]:
    """The frames of the first stream of sound, with a last `None` that flushes; a packet that is broken is passed over."""
    import av

    for packet in sound.demux(sound.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None  # times that are wrong in the file would be filled up with silence
            yield frame
    yield None


if __name__ == "__main__":
    serve(decode)
