"""Trace: one served request, with its answer and what people said of it; a line of a traffic log.

    log.write(Trace(id="t1", time="2026-01-02T03:04:05Z", variant="fine-tune", request=body, response=completion).line())

The log is JSONL. The server writes it, and `format: traces` reads it as rows to train on.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Feedback(BaseModel):
    """What somebody said of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    thumb: Literal[-1, 1] | None = None
    """1 for a good answer, -1 for a bad one."""
    correction: str | None = None
    """What the answer should have been."""
    comment: str | None = None
    time: str | None = None
    """When it was said, as an ISO text."""


class Trace(BaseModel):
    """One served request. What a later version writes beside these is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    time: str
    """When the request came, as an ISO text in UTC."""
    variant: str
    """The name of the variant that answered."""
    release: str | None = None
    """The release that the variant was part of."""
    request: dict[str, Any]
    """The body of OpenAI's POST /v1/chat/completions as the client sent it."""
    response: dict[str, Any] | None = None
    """The chat.completion object that was sent back, pieces of a stream put together; none where it failed."""
    error: str | None = None
    """Why there is no answer, or not all of it."""
    seconds: float | None = None
    """From the request to the end of the answer."""
    feedback: Feedback | None = None

    def line(self) -> bytes:
        """The line of the log, with its end."""
        return (self.model_dump_json(exclude_none=True) + "\n").encode()
