"""Why the tutor does not answer."""

from uuid import UUID

from tenants.errors import Conflict, DomainError, InvalidInput


class GenerationRunning(Conflict):
    """One reply at a time in a conversation; `generation` is the one to follow instead."""

    code = "generation_running"
    message = "The tutor is still answering in this conversation."

    def __init__(self, generation: UUID) -> None:
        super().__init__()
        self.context = {"generation": str(generation)}


class LessonClosed(DomainError):
    """The student has left the course, or the lesson was taken back. What was said stays readable."""

    code = "lesson_closed"
    status = 403
    message = "This lesson is no longer open to you, so the tutor cannot answer. The conversation stays readable."


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = "This idempotency key was used for another message. A new message needs a new key."


class BadQuestion(InvalidInput):
    code = "bad_question"


class BadFrame(InvalidInput):
    """What came over the socket is not a frame that it takes."""

    code = "bad_frame"


class BadOffset(InvalidInput):
    code = "bad_offset"
    message = "The position in the reply must be a whole number from 0 up."
