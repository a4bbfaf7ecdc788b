"""Exports of chat tools for fuzzing: ChatGPT's, Slack's, and traces of calls."""

import json
from random import Random
from typing import Any

from fuzz_drawn import Made, lines, row, talk, text, value, zipped


def chatgpt(draw: Random) -> Made:
    def conversation() -> Any:
        tree: dict[str, Any] = {"r": {"parent": None, "message": None}}
        last = "r"
        for at in range(draw.randrange(1, 5)):
            author = draw.choice(["user", "assistant", "tool", "system"])
            content = {"content_type": "text", "parts": [text(draw)]} if draw.random() < 0.9 else value(draw)
            tree[str(at)] = {"parent": last, "message": {"author": {"role": author}, "content": content}}
            last = str(at)
        return {"mapping": tree, "current_node": last, "title": value(draw), "create_time": value(draw)}

    rows = [conversation() if draw.random() < 0.9 else row(draw) for _ in range(draw.randrange(1, 6))]
    return Made("conversations.json", json.dumps(rows).encode(), {"format": "chatgpt"}, len(rows))


def slack(draw: Random) -> Made:
    count, days = draw.randrange(1, 5), {}
    for thread in range(count):
        for part in range(draw.randrange(1, 4)):
            stamp = f"{1700000000 + thread}.{part}"
            message = {
                "user": f"U{part % 2}",
                "ts": stamp,
                "thread_ts": f"{1700000000 + thread}.0",
                "text": text(draw),
                **_slack_parts(draw),
            }
            days.setdefault(f"help/2024-01-0{draw.randrange(1, 4)}.json", []).append(message)
    files = {name: json.dumps(said) for name, said in days.items()} | {
        "users.json": json.dumps([{"id": "U0", "name": "a"}])
    }
    return Made("slack.zip", zipped(files), {"format": "slack"}, count)


def _slack_parts(draw: Random) -> dict[str, Any]:
    """What a message of Slack's has beside its text: now and then, and now and then not as it should be."""
    leaf = {"type": draw.choice(["text", "link", "user", "emoji"]), "text": text(draw), "url": value(draw)}
    section = {
        "type": draw.choice(["rich_text_section", "rich_text_list", "rich_text_quote"]),
        "elements": [leaf],
    }
    blocks = [
        {"type": "rich_text", "elements": [section, value(draw)]},
        {"type": "section", "text": {"type": "mrkdwn", "text": text(draw)}, "fields": value(draw)},
        {"type": "table", "rows": [[{"type": "raw_text", "text": text(draw)}, value(draw)], value(draw)]},
        value(draw),
    ]
    parts = {
        "blocks": draw.sample(blocks, draw.randrange(4)),
        "attachments": [{"text": text(draw), "fallback": value(draw), "blocks": blocks[:1]}, value(draw)],
        "files": [
            {"title": text(draw), "preview": value(draw), "lines_more": draw.randrange(2)},
            value(draw),
        ],
        "bot_profile": value(draw),
        "user_profile": {"real_name": value(draw)},
        "username": value(draw),
        "subtype": draw.choice(["bot_message", "channel_join", value(draw)]),
    }
    return {name: part for name, part in parts.items() if draw.random() < 0.2}


def traces(draw: Random) -> Made:
    def one() -> Any:
        message = {"role": "assistant", "content": text(draw)}
        answer = {
            "choices": [{"message": message, "finish_reason": draw.choice(["stop", "stop", "length", None])}]
        }
        about = draw.choice(
            [
                {
                    "id": "a",
                    "time": "t",
                    "variant": "v",
                    "request": {"messages": talk(draw)},
                    "response": answer,
                },
                {"messages": talk(draw), "response": answer, "status": draw.choice(["success", "failure"])},
                {
                    "input": draw.choice([talk(draw), text(draw)]),
                    "output": draw.choice([message, text(draw), answer]),
                    "metadata": draw.choice([{"finish_reason": value(draw)}, value(draw)]),
                    "modelParameters": draw.choice(
                        [{"max_tokens": value(draw)}, {"maxTokens": "7"}, value(draw)]
                    ),
                    "usageDetails": draw.choice([{"output": 7}, value(draw)]),
                },
                {"object": "chat.completion", "messages": talk(draw), **answer},
            ]
        )
        if draw.random() < 0.3:
            about["feedback"] = draw.choice([{"thumb": 1}, {"correction": text(draw)}, value(draw)])
        if draw.random() < 0.3:
            about[draw.choice([*about])] = value(draw)
        return about

    rows = [one() for _ in range(draw.randrange(1, 7))]
    return Made("t.jsonl", lines(draw, rows), {"format": "traces"}, len(rows))
