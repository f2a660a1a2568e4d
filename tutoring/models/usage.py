"""What the tutor has used and what it may use. The ledger outlives the conversations that it counts."""

import uuid
from decimal import Decimal
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from lms.courses.models import Course
from tenants.models import Role, University, User
from tutoring.models.chat import MODEL_NAME_LENGTH

_PERCENT = [MinValueValidator(1), MaxValueValidator(100)]
_NOT_NEGATIVE = [MinValueValidator(0)]


class TutorPolicyQuerySet(models.QuerySet["TutorPolicy"]):
    def of(self, university_id: int) -> "TutorPolicy":
        """The university's, or an unsaved one with the defaults where it has not set any; one query."""
        return self.filter(university=university_id).first() or TutorPolicy(university_id=university_id)


class TutorPolicy(models.Model):
    """A university's rules for its tutor. A university without a row has the defaults of the fields.

    A limit that is empty is no limit. Days and months are those of the university's time zone.
    """

    class WhenUsedUp(models.TextChoices):
        PRACTICE = "practice", _("The practice tutor answers until the allowance renews")
        STOP = "stop", _("The tutor does not answer until the allowance renews")

    class Sharing(models.TextChoices):
        OFF = "off", _("Conversations cannot be shared")
        LINK = "link", _("Whoever has the link can read a shared conversation")

    university = models.OneToOneField(University, on_delete=models.CASCADE, related_name="tutor_policy")
    user_daily_tokens = models.PositiveBigIntegerField(
        _("tokens per person and day"), null=True, blank=True, default=500_000
    )
    user_daily_usd = models.DecimalField(
        _("USD per person and day"), max_digits=10, decimal_places=4, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    course_monthly_tokens = models.PositiveBigIntegerField(_("tokens per course and month"), null=True, blank=True)
    course_monthly_usd = models.DecimalField(
        _("USD per course and month"), max_digits=10, decimal_places=4, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    university_monthly_tokens = models.PositiveBigIntegerField(
        _("tokens of the university per month"), null=True, blank=True
    )
    university_monthly_usd = models.DecimalField(
        _("USD of the university per month"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=_NOT_NEGATIVE,
    )
    notice_percent = models.PositiveSmallIntegerField(
        _("notice from, in percent"),
        null=True,
        blank=True,
        default=80,
        validators=_PERCENT,
        help_text=_("From this share of a limit on the tutor's panel says how much is left. Empty: never."),
    )
    cheaper_percent = models.PositiveSmallIntegerField(
        _("cheaper model from, in percent"),
        null=True,
        blank=True,
        validators=_PERCENT,
        help_text=_("From this share of a limit on the cheaper model answers. Empty: never."),
    )
    when_used_up = models.CharField(
        _("when a limit is used up"), max_length=10, choices=WhenUsedUp, default=WhenUsedUp.PRACTICE
    )
    sharing = models.CharField(max_length=10, choices=Sharing, default=Sharing.LINK)
    share_days = models.PositiveSmallIntegerField(
        _("days that a shared link may last"), default=90, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )

    objects = TutorPolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "tutor policies"

    def __str__(self) -> str:
        return f"Tutor policy of {self.university}"

    def step_at(self, share: Decimal) -> str:
        """The step for a reply while limits are not used up; `share` of the nearest limit is 0 to 1."""
        percent = share * 100
        if self.cheaper_percent is not None and percent >= self.cheaper_percent:
            return "cheaper"
        if self.notice_percent is not None and percent >= self.notice_percent:
            return "notice"
        return ""


class Budget(models.Model):
    """What one person has used and reserved on one day, or one course or university in one month.

    Written by conditional UPDATE alone. `used_*` equals the sum of the period's `UsageEntry` rows of real models.
    """

    class Scope(models.TextChoices):
        USER = "user", _("person")
        COURSE = "course", _("course")
        UNIVERSITY = "university", _("university")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=10, choices=Scope)
    # The person's, course's or university's primary key: kept as a number, so that a count never holds up a deletion.
    subject_id = models.BigIntegerField()
    # The day itself, or the first of the month, in the university's time zone.
    period_start = models.DateField()
    used_tokens = models.BigIntegerField(default=0)
    used_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    reserved_tokens = models.BigIntegerField(default=0)
    reserved_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["university", "scope", "subject_id", "period_start"], name="budget_period_once"
            ),
            models.CheckConstraint(
                condition=models.Q(reserved_tokens__gte=0, reserved_usd__gte=0), name="budget_reserved_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.subject_id}, {self.period_start}"


class UsageEntryQuerySet(models.QuerySet["UsageEntry"]):
    def visible_to(self, user: User) -> Self:
        """Those of universities that the person administers."""
        if user.is_platform_admin:
            return self
        administered = user.memberships.filter(role=Role.UNIVERSITY_ADMIN).values("university")
        return self.filter(university__in=administered)

    def of_models(self) -> Self:
        """Without the practice tutor's, which cost nothing."""
        return self.exclude(provider="practice")


class UsageEntry(models.Model):
    """What one reply or one title used: the ledger. Entries are added and never changed.

    `generation` is no foreign key, so that a deleted conversation is still paid for.
    """

    class Purpose(models.TextChoices):
        REPLY = "reply", _("Reply")
        TITLE = "title", _("Title")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.SET_NULL, null=True, related_name="+")
    generation = models.UUIDField(default=uuid.uuid4)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.REPLY)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=MODEL_NAME_LENGTH, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    # None for a model whose price the settings do not know; such use counts in tokens alone.
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    # The provider never said what a reply that broke off had used: its output is counted from its text.
    is_estimated = models.BooleanField(default=False)
    # In the university's time zone; the day whose allowance it was taken from.
    day = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UsageEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "usage entries"
        constraints = [models.UniqueConstraint(fields=["generation", "purpose"], name="usage_entry_once")]
        indexes = [models.Index(fields=["university", "day"], name="usage_entry_day")]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.generation}"
