"""Refusals of the courses app."""

from typing import TYPE_CHECKING

from tenants.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from lms.courses.models import ContentItem


class InvalidContent(InvalidInput):
    """Names the place inside the item's data, and what is allowed there."""

    code = "invalid_content"
    message = "The content is not as its type describes it."


class InvalidMove(InvalidInput):
    code = "invalid_move"
    message = "It cannot be moved there."


class CourseExists(Conflict):
    code = "course_exists"
    message = "There is a course with this code or address already."


class OfferingExists(Conflict):
    code = "offering_exists"
    message = "The course is already offered in this term."


class RootStays(Conflict):
    code = "root_stays"
    message = "Every course has one topmost module, which stays as long as the course."


class StaleRevision(Conflict):
    """Somebody else has saved in the meantime. `current` is what they saved, for showing both texts."""

    code = "stale_revision"
    message = "Somebody else has changed this in the meantime. Nothing was saved; compare the two texts."

    def __init__(self, current: "ContentItem") -> None:
        super().__init__()
        self.current = current
