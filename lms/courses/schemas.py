"""What the API gives of courses. Answer keys have no schema: nothing here may ever carry them."""

from datetime import datetime
from typing import Any

from ninja import Schema

from lms.courses import queries
from lms.courses.models import ContentType, Course, CourseOffering, Prerequisite


class CourseOut(Schema):
    id: int
    university: str
    code: str
    title: str
    slug: str
    level: str
    language: str
    subject: str | None
    department: str | None
    description: str
    objectives: list[str]
    status: str

    @staticmethod
    def resolve_university(course: Course) -> str:
        return course.university.slug

    @staticmethod
    def resolve_subject(course: Course) -> str | None:
        return course.subject.slug if course.subject else None

    @staticmethod
    def resolve_department(course: Course) -> str | None:
        return course.department.code if course.department else None


class OfferingOut(Schema):
    """`capacity` and open ends of the times are null without a limit."""

    id: int
    term: str
    starts_at: datetime | None
    ends_at: datetime | None
    capacity: int | None
    enrollment_opens_at: datetime | None
    enrollment_closes_at: datetime | None


class PrerequisiteOut(Schema):
    course_id: int
    title: str
    kind: str

    @staticmethod
    def resolve_course_id(row: Prerequisite) -> int:
        return row.required_course_id

    @staticmethod
    def resolve_title(row: Prerequisite) -> str:
        return row.required_course.title


class CourseDetailOut(CourseOut):
    """With the offerings, the newest first, and what comes before the course."""

    offerings: list[OfferingOut]
    prerequisites: list[PrerequisiteOut]

    @staticmethod
    def resolve_offerings(course: Course) -> list[CourseOffering]:
        return list(queries.offerings_of(course))

    @staticmethod
    def resolve_prerequisites(course: Course) -> list[Prerequisite]:
        return list(queries.prerequisites_of(course))


class ModuleItemOut(Schema):
    id: int
    title: str
    content_type: str


class ModuleOut(Schema):
    id: int
    type: str
    title: str
    available_from: datetime | None
    available_until: datetime | None
    items: list[ModuleItemOut]
    children: list["ModuleOut"]


class ContentTypeOut(Schema):
    """`data_schema` is the JSON Schema (2020-12) of an item's `data`."""

    slug: str
    name: str
    icon: str
    data_schema: dict[str, Any]

    @staticmethod
    def resolve_data_schema(row: ContentType) -> Any:
        return row.schema
