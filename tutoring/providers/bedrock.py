"""The frames in which Bedrock sends the events of the Messages API: AWS's event stream, unpacked by AWS's own library.

Each event is base64 in the JSON of a `chunk`; an error comes as a frame of another kind. The vendor's SDK can read this
too, but gives no public way to it that shows the pings.
"""

import base64
import struct
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from botocore.eventstream import EventStreamBuffer, ParserError  # type: ignore[import-untyped]

from tutoring.providers.messages import json_object, upstream_error
from tutoring.providers.protocol import ProviderError


async def events_in_frames(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[str, None]:
    """The JSON of each event; empty for a frame that carries none. Closes the body.

    Raises ProviderError for a frame that is broken or tells of an error, or ValueError where one holds no JSON.
    """
    buffer = EventStreamBuffer()
    async with aclosing(body):
        async for piece in body:
            buffer.add_data(piece)
            for frame in _whole_frames(buffer):
                yield _event(frame)


def _whole_frames(buffer: Any) -> Iterator[Any]:
    try:
        yield from buffer
    except (ParserError, struct.error, KeyError) as error:
        raise ProviderError("bad_upstream", f"broken frame: {error!r}") from error


def _event(frame: Any) -> str:
    match frame.headers.get(":message-type"):
        case "exception":
            raise _told(frame.headers.get(":exception-type"), frame.payload.decode(errors="replace"))
        case "error":
            raise _told(frame.headers.get(":error-code"), frame.headers.get(":error-message"))
    if frame.headers.get(":event-type") != "chunk":
        return ""
    carried = json_object(frame.payload).get("bytes")
    if not isinstance(carried, str):
        raise ProviderError("bad_upstream", "chunk without bytes")
    return base64.b64decode(carried, validate=True).decode()


def _told(error_type: object, message: object) -> ProviderError:
    return upstream_error(str(error_type), 200, f"in the stream: {error_type}: {message}")
