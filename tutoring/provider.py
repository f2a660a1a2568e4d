"""The provider that the settings name."""

from channels.db import database_sync_to_async
from django.conf import settings

from tutoring.providers.anthropic import AnthropicProvider
from tutoring.providers.practice import PracticeProvider
from tutoring.providers.protocol import Limits, Provider
from tutoring.queries import matching_passages


def is_practice() -> bool:
    """Whether the practice tutor answers, which the pages say in plain words."""
    return bool(settings.TUTOR_PROVIDER == "practice")


def open_provider() -> Provider:
    """A new client of it; one is enough for a process."""
    if is_practice():
        find_passages = database_sync_to_async(matching_passages, thread_sensitive=False)
        return PracticeProvider(find_passages=find_passages, pace_s=settings.TUTOR_PRACTICE_PACE_S)
    return AnthropicProvider(
        api_key=settings.ANTHROPIC_API_KEY,
        base_url=settings.ANTHROPIC_BASE_URL,
        limits=Limits(
            connect_s=settings.TUTOR_CONNECT_S,
            first_event_s=settings.TUTOR_FIRST_EVENT_S,
            silence_s=settings.TUTOR_SILENCE_S,
            text_silence_s=settings.TUTOR_TEXT_SILENCE_S,
            whole_s=settings.TUTOR_WHOLE_REPLY_S,
        ),
    )
