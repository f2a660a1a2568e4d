"""What a trace says of a reply, as its rows have it."""

from typing import Any
from uuid import UUID

from tutoring.models import Generation
from tutoring.tracing import ReplyTrace


def reply_trace(generation_id: UUID) -> ReplyTrace | None:
    """Of a reply that has ended; one query. None where its conversation is gone."""
    generation = (
        Generation.objects.filter(pk=generation_id, finished_at__isnull=False)
        .select_related("message__parent", "session__university", "session__offering__course")
        .first()
    )
    if generation is None or generation.finished_at is None:
        return None
    session = generation.session
    prompt: dict[str, Any] = next(iter(generation.prompt_versions), {})
    return ReplyTrace(
        generation=generation.pk,
        session=session.pk,
        user_key=session.user_id,
        university=session.university.slug,
        course=session.offering.course.title,
        content_item=session.content_context["title"],
        hint_policy=session.offering.hint_policy,
        provider=generation.provider,
        model=generation.model,
        prompt_name=prompt.get("name", ""),
        prompt_version=prompt.get("number"),
        prompt_versions=generation.prompt_versions,
        started_at=generation.created_at,
        first_text_at=None,
        ended_at=generation.finished_at,
        state=generation.state,
        error_code=generation.message.error_code,
        usage=generation.usage,
        cost_usd=generation.cost_usd,
        tries=generation.tries,
        question=generation.message.parent.body if generation.message.parent else "",
        reply=generation.message.body,
    )
