"""How much of the tutor's allowance is used."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from lms.learning.access import access_offering
from tenants.access import access_university
from tenants.requests import signed_in
from tutoring import queries
from tutoring.provider import is_practice
from tutoring.schemas import SLUG, MeterOut

router = Router()


@router.get("/meter", response=MeterOut | None, summary="How much of the allowance is used")
def get_meter(
    request: HttpRequest,
    university: Annotated[str, Query(description="The university's slug.", pattern=SLUG, max_length=50)],
    offering: Annotated[int, Query(description="Of the course in which one asks.")],
) -> queries.Meter | None:
    """`null` where nothing is limited, or nothing used yet."""
    user = signed_in(request)
    place = access_university(user, university)
    course_id = access_offering(user, offering, university).course_id
    return None if is_practice() else queries.meter(place, user_id=user.pk, course_id=course_id)
