"""Refusals of the prompts app."""

from typing import Self

from tenants.errors import Conflict, DomainError, InvalidInput, NotAllowed


class InvalidPrompt(InvalidInput):
    code = "prompt_invalid"
    message = "This prompt is not as a prompt must be."


class PromptExists(Conflict):
    code = "prompt_exists"
    message = "There is a prompt of this name already."


class LabelProtected(NotAllowed):
    code = "label_protected"
    message = "This label is protected: only an administrator may move it."


class WouldBreak(Conflict):
    """The change itself is sound, but a prompt that works now would no longer compile."""

    code = "prompt_would_break"
    message = "Other prompts would no longer compile."


class CompositionError(DomainError):
    """A prompt cannot be composed. 409 when a later change made it so, 400 for the one who saves it."""

    code = "prompt_composition"
    status = 409
    message = "This prompt cannot be composed."

    def at_save(self) -> Self:
        self.status = 400
        return self


class MissingPrompt(CompositionError):
    code = "prompt_missing"
    message = "A prompt that is asked for does not exist."


class WrongType(CompositionError):
    code = "prompt_wrong_type"
    message = "Only text prompts can be included."


class Cycle(CompositionError):
    code = "prompt_cycle"
    message = "A prompt may not include itself."


class TooDeep(CompositionError):
    code = "prompt_too_deep"
    message = "Prompts are nested too deeply."


class TooLong(CompositionError):
    code = "prompt_too_long"
    message = "The composed prompt is too long."
