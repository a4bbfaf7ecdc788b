"""Keys that stand beside what is read of a row or a turn, and what they mean in other tools.

    beside({"id": "m1", "sent": "09:00"}, "user", False, "messages[0]")      → the same: ids and times train nothing
    beside({"image_url": "u"}, "user", False, "messages[0]")                 raises BadRow
    refuse_lost({"messages": […], "images": ["a.png"]})                      raises BadRow

What would be lost is refused, what trains nothing is kept as fields. Thinking is parted from them before (thinking.py).
"""

from collections.abc import Container, Mapping
from typing import Any

from tunewright.data.rows import BadRow

TURN_FIELDS = "turn_fields"
"""The field that holds a row's keys of turns: {"messages[0]": {"id": "m1"}}, by the turn's place in the row."""

_MEANINGS: dict[str, str] = {
    "holds pictures, sounds or files, and only texts are trained": (
        "image images image_url image_urls video videos video_url audio audios audio_url input_audio "
        "file files file_id file_ids attachments"
    ),
    "holds tools or calls in a way that is not read; tools stand beside the messages, calls are tool_calls": (
        "tools functions function_call function_calls tool_call tool_responses"
    ),
    "is a refusal, which is no text of the turn; put it into the content or leave the row out": "refusal",
    "says that the turn goes on, and every turn of a row is trained and shown as a whole one": "prefix partial",
}
"""What a key with a value holds → such keys, parted by blanks."""
_TRAINED = frozenset(("trainable", "loss", "loss_weight", "loss_scale", "loss_mask", "mask", "train_detail"))
"""Keys that say what is trained, whatever their value."""
_MEANT = {key: why for why, keys in _MEANINGS.items() for key in keys.split()}
_MEDIA = ("images", "image", "videos", "video", "audios", "audio")
"""Keys of a row."""
_CHANNEL = "channel"
_CHANNELS = ("analysis", "commentary", "final")
"""Harmony's: an assistant's turn is of the channel `analysis` (thinking), `commentary` or `final`. Elsewhere the key is a
field like another (`whatsapp`)."""


def free_name(key: str, taken: Container[str]) -> str:
    """A field's name for a key whose own name is another's: `other_id`, or `other_id_2` where that is taken, too."""
    name, number = f"other_{key}", 1
    while name in taken:
        number += 1
        name = f"other_{key}_{number}"
    return name


def refuse_lost(row: Mapping[str, Any]) -> None:
    """Raises BadRow for what stands beside a row's messages and would be lost: media, settings of the template."""
    for key in _MEDIA:
        if row.get(key):
            raise BadRow(f"not carried: {key!r} holds pictures, videos or sounds, and only texts are trained")
    if row.get("chat_template_kwargs"):
        raise BadRow("not carried: 'chat_template_kwargs' changes the template for this row alone")


def beside(keys: Mapping[str, Any], role: str, calls: bool, where: str) -> dict[str, Any]:
    """Of a turn's keys that are not read those that are kept as fields; `calls` is whether the turn calls a tool.

    What says nothing (null, an empty list) is left out. Raises BadRow for a key whose meaning would be lost.
    """
    kept = {}
    for key, value in keys.items():
        if value is None or value == []:
            continue
        if key in _TRAINED:
            raise BadRow(
                f"not carried: {where}.{key} says what is trained; the keys for it are weight and train, "
                "or what form.message_keys calls so"
            )
        if key in _MEANT:
            if value:
                raise BadRow(f"not carried: {where}.{key} {_MEANT[key]}")
        elif key == _CHANNEL and value in _CHANNELS and role in ("assistant", "tool"):
            _check_channel(str(value), role, calls, where)
        else:
            kept[key] = value
    return kept


def _check_channel(channel: str, role: str, calls: bool, where: str) -> None:
    """Raises BadRow where Harmony's channel says that an assistant's turn is no answer; a call is `commentary`, too."""
    if role == "assistant" and (channel == "analysis" or (channel == "commentary" and not calls)):
        raise BadRow(
            f"not carried: {where} is of the channel {channel!r}, which is no answer; "
            "put it into the text of the final turn or leave it out"
        )
