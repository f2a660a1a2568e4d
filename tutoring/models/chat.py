"""Conversations with the tutor. The row owns the generation; connections only read it."""

import uuid
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lms.courses.models import ContentItem, CourseOffering
from tenants.models import University, User
from tutoring.providers.protocol import Usage

# Bedrock calls a model by an address of a hundred characters and more.
MODEL_NAME_LENGTH = 200


class ChatSessionQuerySet(models.QuerySet["ChatSession"]):
    def visible_to(self, user: User) -> Self:
        """A conversation is its student's alone, and only while they belong to the university."""
        return self.filter(user=user, university__in=University.objects.visible_to(user))


class ChatSession(models.Model):
    """One conversation about one content item, with the lesson as it was when the conversation began."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="chat_sessions")
    offering = models.ForeignKey(CourseOffering, on_delete=models.CASCADE, related_name="+")
    content_item = models.ForeignKey(ContentItem, on_delete=models.CASCADE, related_name="chat_sessions")
    title = models.CharField(max_length=200, blank=True)
    # The snapshot: see `tutoring.snapshot.LessonSnapshot` for its keys.
    content_context = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)

    objects = ChatSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["user", "-updated_at"], name="chat_session_mine"),
            models.Index(fields=["user", "content_item", "-updated_at"], name="chat_session_lesson"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(session__in=ChatSession.objects.visible_to(user))


class Message(models.Model):
    class Role(models.TextChoices):
        USER = "user", _("You")
        ASSISTANT = "assistant", _("Tutor")

    class State(models.TextChoices):
        PENDING = "pending"
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="replies")
    # One-based within the session.
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=10, choices=Role)
    state = models.CharField(max_length=10, choices=State, default=State.COMPLETE)
    body = models.TextField(blank=True)
    error_code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["session", "seq"]
        constraints = [models.UniqueConstraint(fields=["session", "seq"], name="message_seq_once")]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"


LIVE_STATES = ["pending", "streaming"]
END_STATES = ["complete", "stopped", "failed"]


class GenerationQuerySet(models.QuerySet["Generation"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(session__in=ChatSession.objects.visible_to(user))

    def live(self) -> Self:
        return self.filter(state__in=LIVE_STATES)


class Generation(models.Model):
    """The making of one reply. Its state moves only by conditional UPDATE; end states never change."""

    class BudgetStep(models.TextChoices):
        NOTICE = "notice", _("little left")
        CHEAPER = "cheaper", _("cheaper model")
        PRACTICE = "practice", _("practice tutor")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="generations")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    state = models.CharField(max_length=10, choices=Message.State, default=Message.State.PENDING)
    attempt = models.PositiveSmallIntegerField(default=1)
    # The process that makes the reply, and until when it may be believed alive.
    owner = models.CharField(max_length=80)
    lease_until = models.DateTimeField()
    stop_requested = models.BooleanField(default=False)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=MODEL_NAME_LENGTH, blank=True)
    prompt_versions = models.JSONField(default=list)
    prompt_hash = models.CharField(max_length=64, blank=True)
    # Requests that were made for this reply, to whichever provider.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Messages of the conversation that did not fit into what the model was sent; the oldest, never the lesson.
    left_out_messages = models.PositiveIntegerField(default=0, db_default=0)
    stop_reason = models.CharField(max_length=40, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    is_estimated = models.BooleanField(default=False, db_default=False)
    # Which step of the university's policy was taken for it.
    budget_step = models.CharField(max_length=10, choices=BudgetStep, blank=True, default="", db_default="")
    # What was set aside for it, and from which day's and month's allowance; given back when it ends.
    budget_day = models.DateField(null=True)
    reserved_tokens = models.BigIntegerField(default=0, db_default=0)
    reserved_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0, db_default=Decimal(0))
    trace_id = models.CharField(max_length=64, blank=True)
    ttft_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(state__in=["pending", "streaming"]), name="generation_one_live"
            ),
            models.CheckConstraint(condition=Q(attempt__gte=1), name="generation_attempt_counts"),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["pending", "streaming"]), name="generation_leases"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def usage(self) -> Usage:
        """What is counted so far, and in the end what it has used."""
        return Usage(self.input_tokens, self.output_tokens, self.cache_write_tokens, self.cache_read_tokens)


class Feedback(models.Model):
    """What the student thought of a reply."""

    class Thumb(models.TextChoices):
        UP = "up", _("Helpful")
        DOWN = "down", _("Not helpful")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    thumb = models.CharField(max_length=4, choices=Thumb)
    comment = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return self.thumb


class IdempotencyKey(models.Model):
    """What was answered to one write of one person, so that the same write sent again changes nothing."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["university", "user", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
