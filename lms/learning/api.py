"""API groups `enrollments`, `progress` and `content`: a student's own."""

from collections.abc import Iterable
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from ninja.pagination import paginate

from lms.learning import queries
from lms.learning.access import Lesson, access_enrollment, access_lesson, access_offering
from lms.learning.actions import enrolment, progress
from lms.learning.actions.quizzes import check_answers, keep_answers
from lms.learning.errors import NotEnrolled
from lms.learning.models import Enrollment
from lms.learning.schemas import (
    AnswersIn,
    ContentOut,
    DoneIn,
    DoneOut,
    EnrollIn,
    EnrollmentOut,
    ProgressOut,
    QuizCheckOut,
)
from tenants.pagination import Pages
from tenants.requests import signed_in

router = Router()

Status = Annotated[str, Query(pattern=f"^({'|'.join(Enrollment.Status.values)})?$")]
OfferingId = Annotated[int, Query(ge=1, lt=2**63)]


@router.get("/enrollments", response=list[EnrollmentOut], tags=["enrollments"], summary="My enrollments")
@paginate(Pages)
def list_enrollments(request: HttpRequest, status: Status = "") -> Iterable[Enrollment]:
    """At all universities, dropped ones too, the latest first."""
    return queries.all_studies_of(signed_in(request), status)


@router.post("/enrollments", response=EnrollmentOut, tags=["enrollments"], summary="Enrol in an offering")
def enroll(request: HttpRequest, body: EnrollIn) -> Enrollment:
    """A seat, or a place on the waiting list when all are taken. Sent again, it changes nothing."""
    user = signed_in(request)
    enrollment = enrolment.enroll(by=user, offering_id=body.offering_id)
    return queries.study_of(user, enrollment.pk)


@router.get("/enrollments/{int:enrollment_id}", response=EnrollmentOut, tags=["enrollments"], summary="One of mine")
def get_enrollment(request: HttpRequest, enrollment_id: int) -> Enrollment:
    user = signed_in(request)
    return queries.study_of(user, access_enrollment(user, enrollment_id).pk)


@router.post("/enrollments/{int:enrollment_id}/drop", response=EnrollmentOut, tags=["enrollments"], summary="Drop it")
def drop(request: HttpRequest, enrollment_id: int) -> Enrollment:
    """Gives the seat to whoever has waited longest. Sent again, it changes nothing."""
    user = signed_in(request)
    enrolment.drop(by=user, offering_id=access_enrollment(user, enrollment_id).offering_id)
    return queries.study_of(user, enrollment_id)


@router.get(
    "/enrollments/{int:enrollment_id}/progress", response=ProgressOut, tags=["progress"], summary="How far I am"
)
def get_progress(request: HttpRequest, enrollment_id: int) -> ProgressOut:
    """Of the whole course and of each module."""
    return ProgressOut.of(queries.roll_up(access_enrollment(signed_in(request), enrollment_id)))


@router.post("/enrollments/{int:enrollment_id}/progress", response=DoneOut, tags=["progress"], summary="Mark as done")
def mark_done(request: HttpRequest, enrollment_id: int, body: DoneIn) -> DoneOut:
    """For good. Sent again, it changes nothing, the time included."""
    lesson = _lesson(request, enrollment_id, body.item_id)
    if lesson.enrollment is None:
        raise NotEnrolled
    done = progress.mark_done(by=lesson.user, enrollment=lesson.enrollment, item=lesson.item)
    return DoneOut(item_id=done.content_item_id, completed_at=done.completed_at)


@router.post(
    "/enrollments/{int:enrollment_id}/check", response=QuizCheckOut, tags=["progress"], summary="Check answers"
)
def check_quiz(request: HttpRequest, enrollment_id: int, body: AnswersIn) -> QuizCheckOut:
    """An ungraded self-check of a quiz. Marks and explanations come for answered questions alone.

    The latest answers, not their marks, are kept for the student's own tutor.
    """
    lesson = _lesson(request, enrollment_id, body.item_id)
    check = check_answers(by=lesson.user, offering=lesson.offering, item=lesson.item, answers=body.answers)
    keep_answers(lesson=lesson, answers=body.answers)
    return QuizCheckOut.from_check(check)


@router.get("/content/{int:item_id}", response=ContentOut, tags=["content"], summary="One content item")
def get_content(request: HttpRequest, item_id: int, offering: OfferingId) -> ContentOut:
    """As it is read in an offering, for those who study or teach in it."""
    user = signed_in(request)
    place = access_offering(user, offering)
    slug = place.course.university.slug
    return ContentOut.of(access_lesson(user, university=slug, offering=offering, item=item_id))


def _lesson(request: HttpRequest, enrollment_id: int, item_id: int) -> Lesson:
    user = signed_in(request)
    enrollment = access_enrollment(user, enrollment_id)
    slug, offering_id = enrollment.university.slug, enrollment.offering_id
    return access_lesson(user, university=slug, offering=offering_id, item=item_id)
