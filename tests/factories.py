"""Rows for tests, made straight through the ORM: what a test is about, it makes through the product's own actions."""

from typing import Any

from allauth.account.models import EmailAddress

from lms.courses.models import ContentItem, ContentType, Course, CourseOffering, Module
from lms.learning.models import Enrollment
from tenants.models import Country, Membership, Role, University, User


def make_university(slug: str, name: str, **fields: Any) -> University:
    country, _ = Country.objects.get_or_create(iso_code="NO", defaults={"name": "Norway", "region": "Europe"})
    return University.objects.create(slug=slug, name=name, short_code=slug.upper(), country=country, **fields)


def make_user(
    email: str, full_name: str, *, at: University | None = None, role: Role = Role.STUDENT, **fields: Any
) -> User:
    """A person with a verified address and the password `tests.world.PASSWORD`."""
    from tests.world import PASSWORD

    user = User.objects.create_user(email, PASSWORD, full_name=full_name, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    if at:
        Membership.objects.create(user=user, university=at, role=role)
    return user


def make_course(university: University, code: str, title: str, **fields: Any) -> Course:
    fields = {"status": Course.Status.PUBLISHED, "slug": code.lower(), "description": f"About {title}."} | fields
    return Course.objects.create(university=university, code=code, title=title, **fields)


def make_offering(course: Course, term: str = "Autumn", **fields: Any) -> CourseOffering:
    return CourseOffering.objects.create(university=course.university, course=course, term=term, **fields)


def make_module(course: Course, parent: Module | None, title: str, **fields: Any) -> Module:
    index = parent.get_children().count() if parent else 0
    module = Module(
        university=course.university, course=course, parent=parent, title=title, sequence_index=index, **fields
    )
    if parent:
        module.save()
        parent.refresh_from_db()
    else:
        module.begin_tree()
        module.save()
    return module


def text_type() -> ContentType:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "body"],
        "properties": {"format": {"enum": ["markdown", "html"]}, "body": {"type": "string"}},
    }
    return ContentType.objects.get_or_create(slug="text", defaults={"name": "Text", "schema": schema})[0]


def make_text(module: Module, title: str, body: str, **fields: Any) -> ContentItem:
    fields = {"content_type": text_type(), "objectives": ["Explain why samples vary"]} | fields
    return ContentItem.objects.create(
        university=module.university,
        module=module,
        title=title,
        data={"format": "markdown", "body": body},
        sequence_index=module.items.count(),
        **fields,
    )


def make_enrollment(user: User, offering: CourseOffering, **fields: Any) -> Enrollment:
    return Enrollment.objects.create(university=offering.university, user=user, offering=offering, **fields)
