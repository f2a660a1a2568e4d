"""Prompts, their versions and labels. Rows without a university are the platform's, which every university may use."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prompts.rules import LABEL_PATTERN, LATEST, NAME_MAX_CHARACTERS, NAME_PATTERN
from tenants.models import University, User


def seen_from(university_id: int | None) -> models.Q:
    """The tenant filter of every table here: the university's own rows and the platform's."""
    return models.Q(university=None) | models.Q(university=university_id)


class PromptQuerySet(models.QuerySet["Prompt"]):
    def seen_from(self, university: University | None) -> Self:
        return self.filter(seen_from(university.pk if university else None))

    def owned_by(self, university: University | None) -> Self:
        """Without the platform's; for None the platform's alone."""
        return self.filter(university=university)


class Prompt(models.Model):
    """A name with its versions. Name, type and university never change: the database refuses it."""

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        CHAT = "chat", _("Chat")

    university = models.ForeignKey(University, on_delete=models.CASCADE, null=True, blank=True, related_name="prompts")
    name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    type = models.CharField(max_length=10, choices=Type)
    tags = ArrayField(models.CharField(max_length=36), default=list, blank=True)
    description = models.TextField(blank=True)
    # The number of the newest version, raised under the row's lock: numbers have no gaps, and `latest` needs no search.
    latest_number = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PromptQuerySet.as_manager()

    class Meta:
        ordering = ["name", "university"]
        constraints = [
            models.UniqueConstraint(fields=["university", "name"], nulls_distinct=False, name="prompt_name_once"),
            models.CheckConstraint(condition=models.Q(name__regex=NAME_PATTERN), name="prompt_name_well_formed"),
            models.CheckConstraint(condition=models.Q(type__in=["text", "chat"]), name="prompt_type_known"),
        ]
        indexes = [GinIndex(fields=["tags"], name="prompt_tags")]

    def __str__(self) -> str:
        return self.name


class PromptVersion(models.Model):
    """What a prompt said at one time. Never changed: the database refuses it."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.JSONField(help_text=_("A string, or a list of messages with role and content."))
    config = models.JSONField(default=dict, blank=True)
    commit_message = models.CharField(max_length=500, blank=True)
    # Came from a file of the repository, not from a person.
    from_library = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "number"], name="prompt_version_number_once"),
            # What the composite foreign keys of labels and moves point at.
            models.UniqueConstraint(fields=["prompt", "id"], name="prompt_version_of_prompt"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="prompt_version_number_from_1"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"


class PromptLabel(models.Model):
    """Which version a name stands on. `latest` is never a row."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=36)
    version = models.ForeignKey(PromptVersion, on_delete=models.RESTRICT, related_name="labels")
    moved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "name"], name="prompt_label_once"),
            models.CheckConstraint(condition=models.Q(name__regex=LABEL_PATTERN), name="prompt_label_well_formed"),
            models.CheckConstraint(condition=~models.Q(name=LATEST), name="prompt_label_not_latest"),
        ]

    def __str__(self) -> str:
        return self.name


class PromptLabelMove(models.Model):
    """The history of labels. `from_version` is empty when the label was new, `to_version` when it was taken away."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="label_moves")
    label = models.CharField(max_length=36)
    from_version = models.ForeignKey(PromptVersion, on_delete=models.RESTRICT, null=True, related_name="+")
    to_version = models.ForeignKey(PromptVersion, on_delete=models.RESTRICT, null=True, related_name="+")
    by_library = models.BooleanField(default=False)
    moved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["prompt", "label", "-id"], name="prompt_move_newest")]

    def __str__(self) -> str:
        return f"{self.label} of {self.prompt_id}"
