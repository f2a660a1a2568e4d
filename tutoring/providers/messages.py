"""The events of one streamed reply of the Messages API, in their order, and the errors that can come instead.

Source: the API's page "Streaming messages". It asks clients to skip events that they do not know.
"""

import json
from typing import Any

from tutoring.providers.protocol import ErrorCode, Finished, ProviderError, TextDelta, Usage

# By the `type` in an error's body: the code, and whether the same request may succeed a moment later. In lower case,
# since Bedrock says `ThrottlingException` before the stream and `throttlingException` in it.
_ERRORS: dict[str, tuple[ErrorCode, bool]] = {
    "overloaded_error": ("overloaded", True),
    "rate_limit_error": ("rate_limited", True),
    "timeout_error": ("timeout", True),
    "api_error": ("provider_down", True),
    "conflict_error": ("provider_down", True),
    "authentication_error": ("provider_down", False),
    "billing_error": ("provider_down", False),
    "permission_error": ("provider_down", False),
    "not_found_error": ("provider_down", False),
    "invalid_request_error": ("bad_upstream", False),
    "request_too_large": ("bad_upstream", False),
    "throttlingexception": ("rate_limited", True),
    "servicequotaexceededexception": ("rate_limited", False),
    "modelnotreadyexception": ("overloaded", True),
    "serviceunavailableexception": ("overloaded", True),
    "modeltimeoutexception": ("timeout", True),
    "internalserverexception": ("provider_down", True),
    "modelerrorexception": ("provider_down", True),
    "modelstreamerrorexception": ("provider_down", True),
    "accessdeniedexception": ("provider_down", False),
    "resourcenotfoundexception": ("provider_down", False),
    "validationexception": ("bad_upstream", False),
}
# For answers of proxies and gateways on the way, which have no such body.
_STATUSES: dict[int, tuple[ErrorCode, bool]] = {
    408: ("timeout", True),
    409: ("provider_down", True),
    429: ("rate_limited", True),
    401: ("provider_down", False),
    403: ("provider_down", False),
    404: ("provider_down", False),
    504: ("timeout", True),
    529: ("overloaded", True),
}


def upstream_error(
    error_type: str | None,
    status: int,
    detail: str,
    *,
    retry_after_s: float | None = None,
    may_retry: bool | None = None,
) -> ProviderError:
    """What the body's type stands for, or the status where there is none; `may_retry` is the server's own word."""
    # What a server refuses without a name that we know is the request's fault, and no sign that it is down.
    unnamed: tuple[ErrorCode, bool] = ("bad_upstream", False) if 400 <= status < 500 else ("provider_down", True)
    code, retryable = _ERRORS.get((error_type or "").lower(), _STATUSES.get(status, unnamed))
    return ProviderError(
        code, detail, retryable=retryable if may_retry is None else may_retry, retry_after_s=retry_after_s
    )


# No reply has as many; more is a mistake of a gateway, and would not fit where it is kept.
MAX_TOKENS = 2**31


class MessageReader:
    """Takes the events one by one; complete only after `message_stop`."""

    def __init__(self) -> None:
        self.has_text = False
        self._started = False
        self._open_blocks: set[int] = set()
        self._stop_reason: str | None = None
        self._usage: dict[str, int] = {}

    def take(self, data: str) -> TextDelta | Usage | Finished | None:
        """What the event with this JSON adds to the reply, or the tokens so far.

        Raises ProviderError, or ValueError where it is no JSON.
        """
        event = json_object(data)
        match event.get("type"):
            case "error":
                error = _mapping(event.get("error"))
                raise upstream_error(str(error.get("type")), 200, f"in the stream: {error}")
            case "message_start":
                self._start(_mapping(event.get("message")))
                return Usage(**self._usage)
            case "content_block_start":
                return self._open(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                self._close(event)
            case "message_delta":
                self._end(event)
                return Usage(**self._usage)
            case "message_stop":
                return self._finished()
        return None

    def _start(self, message: dict[str, Any]) -> None:
        _expect(not self._started, "second message_start")
        self._started = True
        self._count(message.get("usage"))

    def _open(self, event: dict[str, Any]) -> TextDelta | None:
        _expect(self._started, "content before message_start")
        index = _index(event)
        _expect(index not in self._open_blocks, "content block that is open already")
        self._open_blocks.add(index)
        return self._text(_mapping(event.get("content_block")), "text")

    def _delta(self, event: dict[str, Any]) -> TextDelta | None:
        self._open_index(event)
        return self._text(_mapping(event.get("delta")), "text_delta")

    def _close(self, event: dict[str, Any]) -> None:
        self._open_blocks.remove(self._open_index(event))

    def _open_index(self, event: dict[str, Any]) -> int:
        index = _index(event)
        _expect(index in self._open_blocks, "event outside its content block")
        return index

    def _end(self, event: dict[str, Any]) -> None:
        _expect(self._started, "message_delta before message_start")
        self._stop_reason = _mapping(event.get("delta")).get("stop_reason") or self._stop_reason
        self._count(event.get("usage"))

    def _finished(self) -> Finished:
        _expect(self._stop_reason is not None and not self._open_blocks, "message_stop in the middle of the message")
        stop_reason = str(self._stop_reason)
        if stop_reason == "refusal" and not self.has_text:
            raise ProviderError("refused", "refused before the first text")
        return Finished(stop_reason, Usage(**self._usage))

    def _text(self, part: dict[str, Any], kind: str) -> TextDelta | None:
        """Of the parts that this reader knows; thinking and the rest are not for the student."""
        if part.get("type") != kind or not part.get("text"):
            return None
        _expect(isinstance(part["text"], str), "text that is no text")
        self.has_text = True
        return TextDelta(_storable(part["text"]))

    def _count(self, usage: object) -> None:
        """Later figures replace earlier ones: those of `message_delta` are totals, not additions."""
        for name in Usage.__dataclass_fields__:
            figure = _mapping(usage or {}).get(name)
            if figure is not None:
                _expect(isinstance(figure, int) and 0 <= figure < MAX_TOKENS, f"{name} is no number of tokens")
                self._usage[name] = figure


def json_object(data: str | bytes) -> dict[str, Any]:
    """Raises ProviderError where it is no object, or ValueError where it is no JSON."""
    try:
        return _mapping(json.loads(data))
    except RecursionError as error:
        raise ProviderError("bad_upstream", "JSON nested too deep") from error


def _index(event: dict[str, Any]) -> int:
    index = event.get("index")
    if not isinstance(index, int):
        raise ProviderError("bad_upstream", "content block without a number")
    return index


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProviderError("bad_upstream", "an object was expected")
    return value


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ProviderError("bad_upstream", otherwise)


def _storable(text: str) -> str:
    """Without lone surrogates, which JSON can carry and no database or socket can; the length stays the same."""
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
