from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from mptt.forms import TreeNodeChoiceField

from lms.courses.forms.acting import ActionForm
from lms.courses.models import Course, Module


class ModuleForm(ActionForm):
    """`course` is the one whose tree the module stands in, or shall stand in."""

    course: ClassVar[Course | None] = None

    parent = TreeNodeChoiceField(
        queryset=Module.objects.none(), label=_("Under"), help_text=_("The module that this one is a part of.")
    )
    place = forms.IntegerField(
        label=_("Place"), min_value=1, required=False, help_text=_("Among the modules there; empty means last.")
    )

    class Meta:
        model = Module
        fields = ["title", "type", "available_from", "available_until"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Module.objects.filter(course=self.course).order_by("lft")
        self.fields["parent"].queryset = places  # type: ignore[attr-defined]
        if self.instance.pk is not None:
            # Where a module stands is changed in the tree.
            del self.fields["parent"], self.fields["place"]
        kind = self.fields.get("type")
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [choice for choice in Module.Type.choices if self._may_be(choice[0])]

    def _may_be(self, kind: str) -> bool:
        is_root = self.instance.pk is not None and self.instance.parent_id is None
        return (kind == self.instance.type) if is_root else kind != Module.Type.COURSE_ROOT
