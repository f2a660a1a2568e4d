"""Tests of the providers: one request, all the parts of its reply, the error that ended it."""

from contextlib import aclosing
from pathlib import Path

import pytest

from tests.fakes.bedrock import ACCESS_KEY, SECRET_KEY
from tutoring.providers.protocol import Limits, Provider, ProviderError, Turn, TutorRequest

KEY = "sk-ant-secret-key-of-the-test"
BEDROCK_MODEL = "eu.anthropic.claude-sonnet-5-5-v1:0"
# The SDK remembers the credentials of a region: tests with others have a region of their own.
REGION = "eu-central-1"
LESSON = "<lesson><text>A capacitor stores charge.</text></lesson>"
IMPATIENT = Limits(connect_s=1, first_event_s=0.3, silence_s=0.3, text_silence_s=0.5, whole_s=1)


def use_credentials_of_fake(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """In the environment, and none from this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))


def request(**changes: object) -> TutorRequest:
    fields = {
        "model": "claude-sonnet-5-5",
        "system": "You are the tutor.",
        "briefing": [LESSON, "<student>Sam</student>"],
        "lesson": "A capacitor stores charge.",
        "language": "en",
        "turns": [Turn("user", "What does it store?")],
        "max_output_tokens": 500,
    }
    return TutorRequest(**fields | changes)


async def read(provider: Provider, wanted: TutorRequest | None = None) -> list:
    """All parts of one reply, with the error that ended it as the last."""
    parts: list = []
    try:
        async with aclosing(provider.stream(wanted or request())) as stream:
            async for part in stream:
                parts.append(part)
    except ProviderError as error:
        parts.append(error)
    return parts


def told(error: object) -> tuple[str, bool, float | None]:
    """Code, whether it may be tried again, seconds until then."""
    assert isinstance(error, ProviderError)
    assert KEY not in error.detail + str(error)
    return error.code, error.retryable, error.retry_after_s
