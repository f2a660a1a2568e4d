"""What the forms of authoring share: they are saved by actions, which may refuse."""

from typing import Any, ClassVar

from tenants.admin import ScopedForm
from tenants.errors import DomainError


class ActionForm(ScopedForm):
    """`refusal` is what the action said when this form was to be saved; the form then shows it and is not valid."""

    refusal: ClassVar[DomainError | None] = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.refusal:
            self.add_error(None, self.refusal.detail)
        return cleaned
