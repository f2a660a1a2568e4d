"""Courses as trees of modules with typed content items. Every table carries its own `university`."""

from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from mptt.models import MPTTModel, TreeForeignKey

from tenants.keys import key_for
from tenants.models import Department, Role, University, User


class Subject(models.Model):
    """The platform's taxonomy, shared by all universities."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def _teaches(user: User) -> models.QuerySet[Any]:
    return user.memberships.at_least(Role.TA).values("university")


class CourseQuerySet(models.QuerySet["Course"]):
    def visible_to(self, user: User) -> Self:
        """Published courses of the person's universities, and drafts and archived ones where they teach."""
        if user.is_platform_admin:
            return self
        return self.filter(
            models.Q(university__in=University.objects.visible_to(user), status=Course.Status.PUBLISHED)
            | models.Q(university__in=_teaches(user))
        )


class Course(models.Model):  # type: ignore[django-manager-missing] # django-mptt is not typed
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        ARCHIVED = "archived", _("Archived")

    class Level(models.TextChoices):
        INTRODUCTORY = "introductory", _("Introductory")
        INTERMEDIATE = "intermediate", _("Intermediate")
        ADVANCED = "advanced", _("Advanced")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="courses")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True, blank=True)
    code = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    level = models.CharField(max_length=20, choices=Level, default=Level.INTRODUCTORY)
    language = models.CharField(max_length=16, default="en")
    description = models.TextField(blank=True, help_text=_("Markdown."))
    objectives = models.JSONField(default=list, blank=True, help_text=_("A list of sentences."))
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    # Which source an import made this course from; empty for courses written here.
    source_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search = models.GeneratedField(
        expression=SearchVector("title", "code", "description", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["university", "slug"], name="course_slug_once"),
            models.UniqueConstraint(fields=["university", "code"], name="course_code_once"),
            models.UniqueConstraint(
                fields=["university", "source_key"], condition=~models.Q(source_key=""), name="course_source_once"
            ),
        ]
        indexes = [GinIndex(fields=["search"], name="course_search")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class Prerequisite(models.Model):
    class Kind(models.TextChoices):
        STRICT = "strict", _("Required")
        RECOMMENDED = "recommended", _("Recommended")
        CO_REQUISITE = "co_requisite", _("Taken at the same time")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="prerequisites")
    required_course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="required_by")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.STRICT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "required_course"], name="prerequisite_once"),
            models.CheckConstraint(
                condition=~models.Q(course=models.F("required_course")), name="prerequisite_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.required_course} ({self.get_kind_display()})"


class CourseOffering(models.Model):
    """A course as it is given in one term, with seats and the tutor's policy."""

    class HintPolicy(models.TextChoices):
        GUIDE = "guide", _("Guide: questions and hints, no full solutions")
        EXPLAIN = "explain", _("Explain: worked explanations, the last step is the student's")
        OPEN = "open", _("Open: full answers")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="offerings")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="offerings")
    term = models.CharField(max_length=60)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    capacity = models.PositiveIntegerField(null=True, blank=True, help_text=_("Empty means without limit."))
    enrollment_opens_at = models.DateTimeField(null=True, blank=True)
    enrollment_closes_at = models.DateTimeField(null=True, blank=True)
    hint_policy = models.CharField(max_length=20, choices=HintPolicy, default=HintPolicy.GUIDE)

    class Meta:
        ordering = ["-starts_at", "id"]
        constraints = [models.UniqueConstraint(fields=["course", "term"], name="offering_term_once")]

    def __str__(self) -> str:
        return f"{self.course.code}, {self.term}"


class Module(MPTTModel):  # type: ignore[misc] # django-mptt is not typed
    """A node of a course's tree. The tree's numbers are written by `lms.courses.actions` alone, under one lock."""

    class Type(models.TextChoices):
        COURSE_ROOT = "course_root", _("Course")
        UNIT = "unit", _("Unit")
        CHAPTER = "chapter", _("Chapter")
        LESSON = "lesson", _("Lesson")
        TOPIC = "topic", _("Topic")
        SECTION = "section", _("Section")
        LAB = "lab", _("Lab")
        QUIZ = "quiz", _("Quiz")
        OTHER = "other", _("Other")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="modules")
    parent = TreeForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    type = models.CharField(max_length=20, choices=Type, default=Type.LESSON)
    title = models.CharField(max_length=300)
    # Zero-based among its siblings.
    sequence_index = models.PositiveIntegerField(default=0)
    available_from = models.DateTimeField(null=True, blank=True)
    available_until = models.DateTimeField(null=True, blank=True)
    source_key = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course"], condition=models.Q(parent=None), name="module_one_root"),
            models.UniqueConstraint(
                fields=["course", "source_key"], condition=~models.Q(source_key=""), name="module_source_once"
            ),
        ]

    class MPTTMeta:
        order_insertion_by: list[str] = []

    def begin_tree(self) -> None:
        """Be the topmost module of the course's tree, which has the course's number. To be saved next.

        django-mptt leaves a new node alone that has its numbers, and would draw the number from all trees there are.
        """
        self.lft, self.rght, self.level, self.tree_id = 1, 2, 0, self.course_id

    def __str__(self) -> str:
        return self.title


class ContentType(models.Model):
    """A kind of content, platform-wide. `schema` is the JSON Schema (2020-12) of `ContentItem.data`."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    icon = models.CharField(max_length=40, blank=True)
    schema = models.JSONField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContentItem(models.Model):
    """One piece of a lesson. Never carries a quiz's answers: those are `AnswerKey` rows."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="items")
    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="items")
    title = models.CharField(max_length=300)
    data = models.JSONField(default=dict)
    # Zero-based within its module.
    sequence_index = models.PositiveIntegerField(default=0)
    objectives = models.JSONField(default=list, blank=True)
    prompt_name = models.CharField(max_length=200, default="tutor/lesson")
    prompt_label = models.CharField(max_length=36, default="production")
    status = models.CharField(max_length=20, choices=Status, default=Status.PUBLISHED)
    # Counts the writes; a write that names an older revision is refused with both texts.
    revision = models.PositiveIntegerField(default=1)
    source_key = models.CharField(max_length=255, blank=True)
    # SHA-256 of what the last import wrote here, which tells an edit made here from one made in the source.
    imported_hash = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["module", "sequence_index", "id"]
        indexes = [
            GinIndex(fields=["data"], name="content_item_data"),
            models.Index(fields=["module", "sequence_index"], name="content_item_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["module", "source_key"], condition=~models.Q(source_key=""), name="content_item_source_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AnswerKey(models.Model):
    """The answers of one quiz: question id to `{"correct": [...], "tolerance": number?, "explanation": Markdown}`.

    Apart from the item, so that no query that serves a student or a model can carry them by accident.
    """

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    content_item = models.OneToOneField(ContentItem, on_delete=models.CASCADE, related_name="answer_key")
    data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Answers of {self.content_item}"


def media_upload_path(asset: "MediaAsset", filename: str) -> str:
    """Where the storage keeps the file: by university, under its content's hash instead of a name from outside."""
    suffix = filename.rpartition(".")[2].lower()
    return key_for(asset.university_id, asset.course_id, f"{asset.sha256}.{suffix}", joined_by="/")


class MediaAsset(models.Model):
    """A file of a course, named by the path that its lessons use."""

    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="media")
    path = models.CharField(max_length=400)
    file = models.FileField(upload_to=media_upload_path, max_length=255)
    media_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "path"], name="media_path_once")]

    def __str__(self) -> str:
        return self.path
