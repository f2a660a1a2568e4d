"""The providers that the settings name."""

from channels.db import database_sync_to_async
from django.conf import settings

from tutoring.providers.anthropic import AnthropicProvider, BedrockProvider
from tutoring.providers.breaker import BreakerPolicy
from tutoring.providers.practice import PracticeProvider
from tutoring.providers.protocol import Limits, Provider
from tutoring.providers.upstream import RetryPolicy, Target, Upstream
from tutoring.queries import matching_passages

RETRIES, BREAKERS = RetryPolicy(), BreakerPolicy()


def is_practice() -> bool:
    """Whether the practice tutor answers, which the pages say in plain words."""
    return bool(settings.TUTOR_PROVIDER == "practice")


def open_provider(name: str) -> Provider:
    """A new client of it; one is enough for a process. Models come with retries, and failover where it is set."""
    if name == "practice":
        find_passages = database_sync_to_async(matching_passages, thread_sensitive=False)
        return PracticeProvider(find_passages=find_passages, pace_s=settings.TUTOR_PRACTICE_PACE_S)
    targets = [Target(_open_model(name))]
    if settings.TUTOR_FAILOVER_PROVIDER:
        targets.append(Target(_open_model(settings.TUTOR_FAILOVER_PROVIDER), _failover_models()))
    return Upstream(targets, retries=RETRIES, breakers=BREAKERS)


def _open_model(name: str) -> Provider:
    if name == "bedrock":
        return BedrockProvider(region=settings.AWS_REGION, base_url=settings.BEDROCK_BASE_URL or None, limits=_limits())
    return AnthropicProvider(api_key=settings.ANTHROPIC_API_KEY, base_url=settings.ANTHROPIC_BASE_URL, limits=_limits())


def _failover_models() -> dict[str, str]:
    """What stands in for each model of the first provider, the small one for the small."""
    return {
        settings.TUTOR_SMALL_MODEL: settings.TUTOR_FAILOVER_SMALL_MODEL,
        settings.TUTOR_MODEL: settings.TUTOR_FAILOVER_MODEL,
    }


def _limits() -> Limits:
    return Limits(
        connect_s=settings.TUTOR_CONNECT_S,
        first_event_s=settings.TUTOR_FIRST_EVENT_S,
        silence_s=settings.TUTOR_SILENCE_S,
        text_silence_s=settings.TUTOR_TEXT_SILENCE_S,
        whole_s=settings.TUTOR_WHOLE_REPLY_S,
    )
