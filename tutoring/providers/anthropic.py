"""Claude: at the vendor, at any server that speaks the Messages API, on Bedrock. The one file that imports the SDK."""

import asyncio
import math
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncAnthropicBedrock, AsyncStream
from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

from tutoring.providers.bedrock import events_in_frames
from tutoring.providers.messages import MessageReader, upstream_error
from tutoring.providers.protocol import Finished, Limits, Part, ProviderError, Turn, TutorRequest, Usage

T = TypeVar("T")

MAX_DETAIL_CHARS = 500

# Signatures and tokens: on a signature that it does not know, AWS repeats the headers of the request.
_LONG_SECRET = re.compile(r"[\w+/=%-]{60,}")


class _Claude:
    """Holds one pool of connections; belongs to the event loop it is first used on. Tries each request once."""

    name: str
    # What signing a request can raise beside the SDK's own errors.
    _signing_errors: tuple[type[Exception], ...] = ()

    def __init__(
        self,
        client: AsyncAnthropic | AsyncAnthropicBedrock,
        events: Callable[[httpx2.Response], AsyncGenerator[str, None]],
        limits: Limits,
        secret: re.Pattern[str],
    ) -> None:
        self._client = client
        self._events = events
        self._limits = limits
        self._secret = secret

    async def aclose(self) -> None:
        await self._client.close()

    async def stream(self, request: TutorRequest) -> AsyncGenerator[Part, None]:
        try:
            async with aclosing(self._parts(request)) as parts:
                async for part in parts:
                    yield part
        except (ProviderError, anthropic.AnthropicError, httpx2.HTTPError, ValueError) as error:
            raise self._for_the_log(_classified(error)) from error

    async def _parts(self, request: TutorRequest) -> AsyncGenerator[Part, None]:
        reader = MessageReader()
        clock = _Clock(self._limits)
        async with AsyncExitStack() as stack:
            response = await self._opened(request, stack, clock)
            events = await stack.enter_async_context(aclosing(self._events(response)))
            while (event := await clock.wait(anext(events, None))) is not None:
                clock.heard()
                part = reader.take(event) if event else None
                if part is None:
                    continue
                if not isinstance(part, Usage):
                    clock.heard_text()
                yield part
                if isinstance(part, Finished):
                    return
        raise ProviderError("truncated", "the stream ended without message_stop", retryable=True)

    async def _opened(self, request: TutorRequest, stack: AsyncExitStack, clock: "_Clock") -> httpx2.Response:
        call = self._client.messages.with_streaming_response.create(**_body(request), stream=True)
        try:
            response = await clock.wait(stack.enter_async_context(call))
        except self._signing_errors as error:
            raise ProviderError("provider_down", f"not signed: {type(error).__name__}: {error}") from error
        http_response: httpx2.Response = response.http_response
        return http_response

    def _for_the_log(self, error: ProviderError) -> ProviderError:
        """The same with a detail that is short and never holds a key, whatever the server sent back."""
        detail = self._secret.sub("[key]", error.detail)[:MAX_DETAIL_CHARS]
        return ProviderError(error.code, detail, retryable=error.retryable, retry_after_s=error.retry_after_s)


class AnthropicProvider(_Claude):
    """The vendor's own API, or what stands at `base_url` instead."""

    name = "anthropic"

    def __init__(self, *, api_key: str, base_url: str | None = None, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        client = AsyncAnthropic(api_key=api_key, base_url=base_url, max_retries=0, timeout=_timeout(limits))
        super().__init__(client, _server_sent, limits, re.compile(re.escape(api_key)))


class BedrockProvider(_Claude):
    """Claude on Amazon Bedrock, with the credentials that boto3 finds: of the environment, a profile or a role."""

    name = "bedrock"
    _signing_errors = (BotoCoreError, RuntimeError)

    def __init__(self, *, region: str, base_url: str | None = None, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        client = AsyncAnthropicBedrock(aws_region=region, base_url=base_url, max_retries=0, timeout=_timeout(limits))
        super().__init__(client, _in_frames, limits, _LONG_SECRET)


class _Clock:
    """The limits of one reply, in the loop's time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        started = self._now()
        self._whole_until = started + limits.whole_s
        self._text_until = started + limits.text_silence_s
        self._first_until: float | None = started + limits.first_event_s

    def heard(self) -> None:
        self._first_until = None

    def heard_text(self) -> None:
        self._text_until = self._now() + self._limits.text_silence_s

    async def wait(self, answer: Awaitable[T]) -> T:
        next_until = self._first_until or self._now() + self._limits.silence_s
        until = min(next_until, self._text_until, self._whole_until)
        try:
            async with asyncio.timeout_at(until):
                return await answer
        except TimeoutError as error:
            raise ProviderError("timeout", self._reason(until)) from error

    def _reason(self, until: float) -> str:
        if until == self._whole_until:
            return f"not complete after {self._limits.whole_s} s"
        if until == self._text_until:
            return f"no text for {self._limits.text_silence_s} s"
        if until == self._first_until:
            return f"no event in the first {self._limits.first_event_s} s"
        return f"silence for {self._limits.silence_s} s"


def _timeout(limits: Limits) -> httpx2.Timeout:
    """The client's own limits only for connecting: silence is measured here, where pings and text can be told apart."""
    return httpx2.Timeout(limits.whole_s, connect=limits.connect_s, pool=limits.connect_s)


async def _server_sent(response: httpx2.Response) -> AsyncGenerator[str, None]:
    # The raw events, because the SDK's own reading hides the pings and is half as dear again.
    async with aclosing(cast("AsyncGenerator[Any]", AsyncStream.raw_events(response))) as events:
        async for event in events:
            yield event.data


def _in_frames(response: httpx2.Response) -> AsyncGenerator[str, None]:
    return events_in_frames(response.aiter_bytes())


def _body(request: TutorRequest) -> dict[str, Any]:
    system = {"system": [_text_block(request.system)]} if request.system.strip() else {}
    return {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "messages": _messages(request),
        **system,
    }


def _messages(request: TutorRequest) -> list[dict[str, Any]]:
    """The platform's data and the first question are one message; the cache holds everything up to the lesson's end."""
    briefing = [Turn("user", text) for text in request.briefing]
    messages: list[dict[str, Any]] = []
    for turn in [*briefing, *request.turns]:
        # The API refuses blocks without text; a reply that failed at once is such a turn.
        if not turn.text.strip():
            continue
        if not messages or messages[-1]["role"] != turn.role:
            messages.append({"role": turn.role, "content": []})
        messages[-1]["content"].append(_text_block(turn.text))
    if briefing:
        messages[0]["content"][0]["cache_control"] = {"type": "ephemeral"}
    return messages


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _classified(error: Exception) -> ProviderError:
    """By the type in the body, where there is a body; the SDK's classes only tell how far the request came."""
    if isinstance(error, ProviderError):
        return error
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, anthropic.APIStatusError):
        headers = error.response.headers
        request_id = error.request_id or headers.get("x-amzn-requestid", "")
        return upstream_error(
            str(error.type or headers.get("x-amzn-errortype", "").partition(":")[0]),
            error.status_code,
            f"{error.status_code} {request_id} {type(error).__name__}: {_told(error)}".replace("  ", " "),
            retry_after_s=_retry_after_s(headers),
            may_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "")),
        )
    if isinstance(error, anthropic.APIConnectionError):
        return ProviderError("provider_down", f"{detail} ({error.__cause__!r})", retryable=True)
    if isinstance(error, httpx2.TimeoutException):
        return ProviderError("timeout", detail)
    if isinstance(error, httpx2.HTTPError):
        return ProviderError("truncated", detail, retryable=True)
    if isinstance(error, anthropic.AnthropicError):
        return ProviderError("provider_down", detail)
    return ProviderError("bad_upstream", detail)


def _told(error: anthropic.APIStatusError) -> str:
    """The API's own sentence. Other servers' bodies may repeat what they were sent, which is the student's."""
    body = error.body
    if "x-amzn-errortype" in error.response.headers and isinstance(body, dict):
        return str(body.get("message", ""))
    told = body.get("error") if isinstance(body, dict) and body.get("type") == "error" else None
    return str(told.get("message", "")) if isinstance(told, dict) else ""


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """From `retry-after`, in seconds or as a date; None where it is missing or makes no sense."""
    written = headers.get("retry-after", "")
    try:
        seconds = float(written)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(written).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
