"""Conversations that a student has shown to others."""

import hashlib
import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from tenants.models import University, User
from tutoring.models.chat import ChatSession
from tutoring.models.usage import TutorPolicy


def hash_token(token: str) -> str:
    """What is kept of a link's token: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


class ShareQuerySet(models.QuerySet["Share"]):
    def visible_to(self, user: User) -> Self:
        """One's own; whoever else reads a share comes with its token."""
        return self.filter(session__in=ChatSession.objects.visible_to(user))

    def live(self) -> Self:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at__gt=Now()), revoked_at=None)

    def readable(self) -> Self:
        """Live, of an account that is open, at a university that is there and lets its students share."""
        there = self.live().filter(university__is_active=True, session__user__is_active=True)
        return there.exclude(university__tutor_policy__sharing=TutorPolicy.Sharing.OFF)

    def with_token(self, token: str) -> Self:
        return self.filter(token_hash=hash_token(token))


class Share(models.Model):
    """A part of a conversation as it was when it was shared. Later messages and edits do not reach it.

    The link's token is 128 random bits, of which only the SHA-256 is kept: nobody finds a link in the database.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="shares")
    token_hash = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=200)
    # What the student wants to be called there; may be empty.
    shown_name = models.CharField(max_length=80, blank=True)
    # {"lesson", "course", "messages": [{"role", "body", "state"}]}, without ids and without anybody's name.
    snapshot = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    view_count = models.PositiveIntegerField(default=0)

    objects = ShareQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title
