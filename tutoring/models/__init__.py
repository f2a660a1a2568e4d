"""Conversations and their replies, what they used and may use, and what of them is shared."""

from tutoring.models.chat import (
    END_STATES,
    LIVE_STATES,
    ChatSession,
    ChatSessionQuerySet,
    Feedback,
    Generation,
    GenerationQuerySet,
    IdempotencyKey,
    Message,
)
from tutoring.models.sharing import Share, ShareQuerySet
from tutoring.models.usage import Budget, TutorPolicy, TutorPolicyQuerySet, UsageEntry, UsageEntryQuerySet

__all__ = [
    "END_STATES",
    "LIVE_STATES",
    "Budget",
    "ChatSession",
    "ChatSessionQuerySet",
    "Feedback",
    "Generation",
    "GenerationQuerySet",
    "IdempotencyKey",
    "Message",
    "Share",
    "ShareQuerySet",
    "TutorPolicy",
    "TutorPolicyQuerySet",
    "UsageEntry",
    "UsageEntryQuerySet",
]
