"""The events that a reader of a reply gets, the same on the socket and over SSE."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lms.courses.markdown import render_reply

if TYPE_CHECKING:
    from tutoring.actions.sending import Sent

Event = dict[str, Any]


@dataclass(frozen=True)
class Ending:
    """How a reply ended, as its rows say it. `state` is one of complete, stopped, failed."""

    state: str
    code: str = ""
    stop_reason: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)


def started(sent: "Sent", key: str = "") -> Event:
    """`message` is the student's, `reply` the tutor's; `key` tells the sender which of its sends this answers.

    The siblings are the ids between which a reader may choose, oldest first, with these.
    """
    return {
        "event": "started",
        "session": str(sent.session),
        "message": str(sent.message),
        "reply": str(sent.reply),
        "generation": str(sent.generation),
        "message_siblings": [str(each) for each in sent.message_siblings],
        "reply_siblings": [str(each) for each in sent.reply_siblings],
        "key": key,
    }


def delta(offset: int, text: str) -> Event:
    """`offset` counts Unicode code points from the reply's beginning."""
    return {"event": "delta", "from": offset, "text": text}


def markup(from_block: int, html: str, length: int) -> Event:
    """Blocks that will not change any more; `length` is how much of the text they and those before them cover."""
    return {"event": "markup", "from_block": from_block, "html": html, "length": length}


def done(ending: Ending, body: str, *, pages: bool) -> Event:
    event: Event = {
        "event": "done",
        "state": ending.state,
        "code": ending.code,
        "stop_reason": ending.stop_reason,
        "length": len(body),
        "usage": dict(ending.usage),
    }
    if pages:
        event["html"] = render_reply(body)
    return event


def restart(retry_ms: int) -> Event:
    return {"event": "restart", "retry_ms": retry_ms}


def error(code: str, detail: str, **context: str) -> Event:
    """A refused request of the client. `context` names what it was about: `key`, `generation`."""
    return {"event": "error", "code": code, "detail": detail, **context}


def as_sse(event: Event, position: int) -> str:
    """One server-sent event; its id is the position after it, which `Last-Event-ID` brings back."""
    data = {name: value for name, value in event.items() if name != "event"}
    return f"event: {event['event']}\nid: {position}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


HEARTBEAT = ": still here\n\n"
