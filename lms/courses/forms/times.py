from typing import Any

from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import models
from django.utils.translation import gettext_lazy as _


class LabelledDateTime(AdminSplitDateTime):
    """Django's date and time, whose two fields have no names for those who cannot see the words beside them."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, label in zip(self.widgets, (_("Date"), _("Time")), strict=True):
            widget.attrs["aria-label"] = label


# For `formfield_overrides` of the admin's classes.
LABELLED_TIMES: "dict[type[models.Field[Any, Any]], dict[str, Any]]" = {
    models.DateTimeField: {"widget": LabelledDateTime},
}
