"""One frame over the tutor's socket: what comes first, or with which code it is closed."""

import json
from typing import Any
from uuid import uuid4

from tests.security.matrix.cells import Cell
from tests.tutoring.live_case import PATIENCE_S, Socket, new_socket


async def ask_socket(cell: Cell, session_key: str) -> tuple[str, str]:
    """The status is a close code, or the first event; the text is what was heard. Stopping is done in silence."""
    socket = new_socket(cell.path, cookie=f"sessionid={session_key}")
    connected, code = await socket.connect(PATIENCE_S)
    if not connected:
        return str(code), ""
    for frame in _frames(cell):
        await socket.send_to(json.dumps(frame))
    heard = await _heard(socket)
    await socket.disconnect(timeout=PATIENCE_S)
    return heard


def _frames(cell: Cell) -> list[dict[str, Any]]:
    values, action = cell.values, cell.way.method.partition(":")[2]
    about = {
        "send": {"key": str(uuid4()), "text": "Why?"},
        "regenerate": {"key": str(uuid4()), "reply": values["reply"]},
        "attach": {"generation": values["generation"], "after": 0},
        "stop": {"generation": values["generation"]},
    }
    # To the second one something is answered in any case.
    return [{"action": action, **about.get(action, {})}, {"action": "nothing"}]


async def _heard(socket: Socket) -> tuple[str, str]:
    output = await socket.receive_output(PATIENCE_S)
    if output["type"] == "websocket.close":
        return str(output["code"]), ""
    event = json.loads(output["text"])
    return "silence" if event.get("code") == "bad_frame" else event["event"], output["text"]
