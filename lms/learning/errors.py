"""Refusals of the learning app."""

from tenants.errors import Conflict, InvalidInput, NotAllowed


class NotOpen(NotAllowed):
    code = "not_open"
    message = "This lesson is not open at this time."


class EnrollmentClosed(Conflict):
    code = "enrollment_closed"
    message = "It is not possible to enrol at this time."


class PrerequisiteMissing(Conflict):
    code = "prerequisite_missing"
    message = "Another course has to be completed first."


class NotEnrolled(Conflict):
    code = "not_enrolled"
    message = "You are not enrolled here."


class NotAQuiz(InvalidInput):
    code = "not_a_quiz"
    message = "There are no questions here to be checked."
