"""What a provider of replies is asked and what it gives. Pure: no settings, no database."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

ErrorCode = Literal["overloaded", "rate_limited", "timeout", "truncated", "bad_upstream", "refused", "provider_down"]


@dataclass(frozen=True)
class Turn:
    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class TutorRequest:
    """`briefing` are the prompt's own messages to the model, which carry the lesson and the student as data.

    The first of them is the same for everybody who studies the lesson, so that is where a provider marks its cache.
    `lesson` is the lesson's plain text alone and `language` its language ("en"), for the practice tutor. `turns` are
    the conversation, oldest first; the last is the student's question.
    """

    model: str
    system: str
    briefing: Sequence[str]
    lesson: str
    language: str
    turns: Sequence[Turn]
    max_output_tokens: int

    @property
    def question(self) -> str:
        return self.turns[-1].text


@dataclass(frozen=True)
class Usage:
    """Tokens. `input_tokens` are those that the cache neither took nor gave."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_creation_input_tokens + other.cache_creation_input_tokens,
            self.cache_read_input_tokens + other.cache_read_input_tokens,
        )

    @property
    def total(self) -> int:
        """Everything that went in and came out, from the cache or not: what counts against allowances."""
        return sum(self.as_columns().values())

    def as_columns(self) -> dict[str, int]:
        """By the names that the product's tables and events have for them."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_write_tokens": self.cache_creation_input_tokens,
            "cache_read_tokens": self.cache_read_input_tokens,
        }


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class Finished:
    """The provider's own end of a whole reply; `stop_reason` in its words (`end_turn`, `max_tokens`, `refusal`)."""

    stop_reason: str
    usage: Usage


@dataclass(frozen=True)
class Answering:
    """A request to a model that begins now. `tries` counts those that this reply has made, this one among them."""

    provider: str
    model: str
    tries: int


@dataclass(frozen=True)
class Limits:
    """Seconds. `text_silence_s` runs while events come that carry no text, such as pings."""

    connect_s: float = 5
    first_event_s: float = 30
    silence_s: float = 30
    text_silence_s: float = 90
    whole_s: float = 300


# A `Usage` says what has been counted so far: a reply that is stopped or breaks off has cost something too.
# Only `tutoring.providers.upstream` gives `Answering`.
Part = TextDelta | Usage | Finished | Answering


class ProviderError(Exception):
    """A reply that could not be made, or not to its end. `detail` is for the log and holds no key."""

    def __init__(
        self, code: ErrorCode, detail: str, *, retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class Provider(Protocol):
    name: str

    def stream(self, request: TutorRequest) -> AsyncGenerator[Part, None]:
        """Text and counts as they come, then `Finished`; or a `ProviderError`. Close it with `contextlib.aclosing`."""

    async def aclose(self) -> None: ...
