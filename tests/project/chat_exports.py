"""Small exports of chat tools, as Slack and ChatGPT write them."""

import json
import zipfile
from pathlib import Path
from typing import Any


def slack(path: Path, asked: list[str]) -> Path:
    """A workspace with one channel, help: each question is a thread that one other person answers."""
    said = []
    for number, text in enumerate(asked):
        thread = f"{1700000000 + 10 * number}.1"
        for user, stamp, words in (("U1", thread, text), ("U2", f"{thread}5", f"It is number {number}.")):
            said.append({"type": "message", "user": user, "ts": stamp, "text": words, "thread_ts": thread})
    users = [{"id": "U1", "name": "anna"}, {"id": "U2", "name": "ben"}]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.json", json.dumps(users))
        archive.writestr("help/2024-02-29.json", json.dumps(said))
    return path


def chatgpt(path: Path, asked: list[str]) -> Path:
    """The conversations of an account, or, where the path says .zip, the account's archive."""
    told = json.dumps([_conversation(text) for text in asked])
    if path.suffix != ".zip":
        path.write_text(told)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", told)
        archive.writestr("user.json", "{}")
    return path


def _conversation(text: str) -> dict[str, Any]:
    tree: dict[str, Any] = {"r": {"parent": None, "message": None}}
    for key, parent, role, words in (("q", "r", "user", text), ("a", "q", "assistant", f"About {text}")):
        content = {"content_type": "text", "parts": [words]}
        tree[key] = {"parent": parent, "message": {"author": {"role": role}, "content": content}}
    return {"mapping": tree, "current_node": "a", "default_model_slug": "gpt-4o"}
