from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lms.courses.forms.acting import ActionForm
from lms.courses.forms.drawing import LinesField
from lms.courses.models import Course


class CourseForm(ActionForm):
    objectives = LinesField(
        label=_("Objectives"), required=False, help_text=_("One a line: what students can do after the course.")
    )

    class Meta:
        model = Course
        fields = ["code", "title", "slug", "department", "subject", "level", "language", "description", "status"]
        widgets = {"description": forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "dir": "auto"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status = self.fields.get("status")
        # What students have seen does not become a draft again; it is archived.
        if isinstance(status, forms.ChoiceField) and self.instance.status != Course.Status.DRAFT:
            status.choices = [choice for choice in Course.Status.choices if choice[0] != Course.Status.DRAFT]
