"""Who studies what, and how far they are."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from lms.courses.models import ContentItem, CourseOffering
from tenants.models import University, User


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(user=user, university__in=University.objects.visible_to(user))

    def studying(self) -> Self:
        """Those that may open lessons."""
        return self.filter(status__in=[Enrollment.Status.ACTIVE, Enrollment.Status.COMPLETED])


class Enrollment(models.Model):
    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        COMPLETED = "completed", _("Completed")
        DROPPED = "dropped", _("Dropped")
        PENDING = "pending", _("Pending")
        WAITLISTED = "waitlisted", _("On the waiting list")

    class Role(models.TextChoices):
        STUDENT = "student", _("Student")
        TA = "ta", _("Teaching assistant")
        INSTRUCTOR = "instructor", _("Instructor")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="enrollments")
    offering = models.ForeignKey(CourseOffering, on_delete=models.CASCADE, related_name="enrollments")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    role = models.CharField(max_length=20, choices=Role, default=Role.STUDENT)
    last_item = models.ForeignKey(ContentItem, on_delete=models.SET_NULL, null=True, related_name="+")
    last_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "offering"], name="enrollment_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.offering}"


class ItemProgress(models.Model):
    """An item that a student has done. The row is the fact; undoing it is not offered."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="progress")
    content_item = models.ForeignKey(ContentItem, on_delete=models.CASCADE, related_name="+")
    completed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "item progress"
        constraints = [models.UniqueConstraint(fields=["enrollment", "content_item"], name="item_progress_once")]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.content_item}"


class SelfCheck(models.Model):
    """The answers of a student's latest check of a quiz, for their own tutor. It is no attempt and is never graded."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="self_checks")
    content_item = models.ForeignKey(ContentItem, on_delete=models.CASCADE, related_name="+")
    # As `lms.learning.answers.kept_answers` leaves them; without marks.
    answers = models.JSONField(default=dict)
    checked_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrollment", "content_item"], name="self_check_once")]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.content_item}"
