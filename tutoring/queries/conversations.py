"""What pages and streams read of conversations."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from lms.learning.access import Lesson
from tenants.models import University, User
from tutoring.branches import branch_through, siblings
from tutoring.models import END_STATES, ChatSession, Message


@dataclass(frozen=True)
class Conversation:
    """One conversation: the messages of all its branches, oldest first, with their generations and feedback."""

    session: ChatSession | None
    messages: list[Message]

    def branch(self, chosen: UUID | None = None) -> list[Message]:
        """The messages that a page shows: the branch through `chosen`, or that of the newest message."""
        return branch_through(self.messages, chosen)

    @cached_property
    def siblings(self) -> dict[UUID, list[UUID]]:
        """For each message the ids between which a reader may choose, oldest first, with its own."""
        return siblings(self.messages)

    @property
    def running(self) -> Message | None:
        """The reply that is being made now."""
        last = self.messages[-1] if self.messages else None
        return last if last and last.state not in END_STATES else None


def latest_conversation(user: User, lesson: Lesson) -> Conversation:
    """The student's newest conversation about the lesson; one query.

    A newer one in which nothing was said yet counts: it shows as no conversation, ready for a first question.
    """
    newest = (
        ChatSession.objects.filter(user=user, content_item=lesson.item, offering=lesson.offering)
        .order_by("-updated_at")
        .values("pk")[:1]
    )
    return _conversation(Message.objects.filter(session__in=newest))


def conversation(session: ChatSession) -> Conversation:
    found = _conversation(Message.objects.filter(session=session))
    return Conversation(session=session, messages=found.messages)


def message_count(session: ChatSession) -> int:
    """Of all branches."""
    return Message.objects.filter(session=session).count()


def _conversation(messages: QuerySet[Message]) -> Conversation:
    rows = list(messages.select_related("session", "generation", "feedback").order_by("seq"))
    return Conversation(session=rows[0].session if rows else None, messages=rows)


def conversations(user: User, university: University, search: str = "") -> QuerySet[ChatSession]:
    """Newest first, with `message_count`; `search` looks into titles and what was said."""
    mine = ChatSession.objects.visible_to(user).filter(university=university).exclude(messages=None)
    if search:
        said = Message.objects.filter(session=OuterRef("pk"), body__icontains=search)
        mine = mine.filter(Q(title__icontains=search) | Exists(said))
    counted = mine.annotate(message_count=Count("messages", distinct=True))
    return counted.select_related("content_item", "offering__course").order_by("-updated_at", "pk")


# The words of the question are joined by OR, so that one that the lesson lacks does not empty the answer.
_PASSAGES = """
WITH question AS (
    SELECT replace(plainto_tsquery(%(config)s::regconfig, %(question)s)::text, '&', '|')::tsquery AS words
), passage AS (
    SELECT text, number FROM unnest(%(passages)s::text[]) WITH ORDINALITY AS p(text, number)
)
SELECT passage.text
FROM passage, question
WHERE to_tsvector(%(config)s::regconfig, passage.text) @@ question.words
ORDER BY ts_rank(to_tsvector(%(config)s::regconfig, passage.text), question.words, 1) DESC, passage.number
LIMIT 3
"""


# PostgreSQL's dictionaries for the languages that the site speaks; other languages are searched word by word.
_DICTIONARIES = {"ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french"}


def matching_passages(lesson: str, question: str, language: str) -> list[str]:
    """The paragraphs of the lesson's text that match the question best, best first, at most three."""
    passages = [paragraph for paragraph in lesson.split("\n\n") if len(paragraph.split()) >= 4]
    config = _DICTIONARIES.get(language[:2], "simple")
    with connection.cursor() as cursor:
        cursor.execute(_PASSAGES, {"question": question, "passages": passages, "config": config})
        return [row[0] for row in cursor.fetchall()]
