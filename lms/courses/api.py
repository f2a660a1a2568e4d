"""API groups `courses`, `modules` and `content-types`: reads for everybody who may see the course."""

from collections.abc import Iterable
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from ninja import Query, Router
from ninja.pagination import paginate

from lms.courses import queries
from lms.courses.access import access_course
from lms.courses.models import ContentType, Course
from lms.courses.schemas import ContentTypeOut, CourseDetailOut, CourseOut, ModuleOut
from tenants.access import access_university
from tenants.entering import at_each
from tenants.pagination import Pages
from tenants.requests import signed_in

router = Router()

Slug = Annotated[str, Query(pattern=r"^[-a-zA-Z0-9_]*$", max_length=60)]
Words = Annotated[str, Query(max_length=200, description="Words of the title, the code or the description.")]
Level = Annotated[str, Query(pattern=f"^({'|'.join(Course.Level.values)})?$")]


@router.get("/courses", response=list[CourseOut], tags=["courses"], summary="List courses")
@paginate(Pages)
def list_courses(
    request: HttpRequest, university: Slug = "", search: Words = "", level: Level = "", subject: Slug = ""
) -> Iterable[Course]:
    """Those that the caller may see, by title: at one university its catalogue, without one all of theirs."""
    user = signed_in(request)
    if university:
        place = access_university(user, university)
        return queries.courses_for_catalogue(user, place, search=search, level=level, subject=subject)
    return at_each(
        user,
        lambda: queries.courses_visible_to(user, search=search, level=level, subject=subject),
        key=lambda course: (course.title, course.pk),
    )


@router.get("/courses/{int:course_id}", response=CourseDetailOut, tags=["courses"], summary="One course")
def get_course(request: HttpRequest, course_id: int) -> Course:
    return access_course(signed_in(request), course_id)


@router.get("/courses/{int:course_id}/modules", response=ModuleOut, tags=["modules"], summary="A course's tree")
def get_modules(request: HttpRequest, course_id: int) -> JsonResponse:
    """The topmost module with all below it; drafts only for those who teach."""
    user = signed_in(request)
    course = access_course(user, course_id)
    # Not through the schema, which takes several times as long for a large tree as reading it does.
    return JsonResponse(queries.module_tree(course, with_drafts=queries.is_taught_by(user, course)))


@router.get("/content-types", response=list[ContentTypeOut], tags=["content-types"], summary="List content types")
@paginate(Pages)
def list_content_types(request: HttpRequest) -> QuerySet[ContentType]:
    """What kinds of content there are, with the JSON Schema of each."""
    return queries.content_types()
