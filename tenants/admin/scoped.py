"""The base of all authoring: lists, choices, filters, saves and deletes stay within the person's universities."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django import forms
from django.contrib import admin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import NestedObjects
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, router
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tenants import audit
from tenants.admin_site import scope_of
from tenants.errors import NotAllowed, NotVisible
from tenants.models import Membership, Role, University, User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    RelatedFilter = RelatedFieldListFilter
else:
    # Django's own classes take no type arguments when they run.
    ModelAdmin, TabularInline, StackedInline = admin.ModelAdmin, admin.TabularInline, admin.StackedInline
    ModelForm = forms.ModelForm


# What links of lists and of their calendars put behind the name of a field.
_FILTERS = {"", "__exact", "__id__exact", "__isnull", "__gte", "__lt", "__year", "__month", "__day"}


def choices_within(queryset: "models.QuerySet[Any]", request: HttpRequest, least: Role) -> "models.QuerySet[Any]":
    """The rows that the person may point at: those of their universities, and rows that belong to none."""
    scope = scope_of(request)
    if scope.is_everywhere:
        return queryset
    ids = scope.universities(least)
    if queryset.model is University:
        return queryset.filter(pk__in=ids)
    if queryset.model is User:
        return queryset.filter(pk__in=Membership.objects.filter(university__in=ids).values("user"))
    field = _university_field(queryset.model)
    if field is None:
        return queryset
    within = models.Q(university__in=ids)
    return queryset.filter(within | models.Q(university=None) if field.null else within)


def _university_field(model: type[models.Model]) -> Any:
    try:
        return model._meta.get_field("university")
    except FieldDoesNotExist:
        return None


def university_id_of(row: models.Model) -> int | None:
    """None for rows that belong to no university, such as content types and people."""
    return row.pk if isinstance(row, University) else getattr(row, "university_id", None)


def refuse_strangers(row: models.Model) -> None:
    """Refuse a row that points into another university than its own; one query for each reference not loaded yet."""
    if any(strangers_of(row)):
        raise NotAllowed


def strangers_of(row: models.Model) -> Iterable[str]:
    """The names of the fields that point into another university."""
    own = university_id_of(row)
    for field in row._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey) or not _university_field(field.related_model):
            continue
        related = getattr(row, field.name)
        if related is not None and university_id_of(related) not in (None, own):
            yield field.name


class ScopedForm(ModelForm):
    """Takes the university from `ScopedAdmin.university_from` and names the fields that point outside it."""

    university_from: ClassVar[str | None] = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        row = self.instance
        if self.university_from and row.university_id is None:
            source = cleaned.get(self.university_from) or getattr(row, self.university_from, None)
            row.university_id = university_id_of(source) if source else None
        university = cleaned.get("university")
        own = university.pk if university else university_id_of(row)
        for name, value in list(cleaned.items()):
            if own and isinstance(value, models.Model) and university_id_of(value) not in (None, own):
                self.add_error(name, _("This belongs to another university."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # Uniqueness within a university is checked although the university is not a field of the form.
        known = {"university"} if university_id_of(self.instance) else set()
        return super()._get_validation_exclusions() - known  # type: ignore[misc,no-any-return]


class ScopedFilter(RelatedFieldListFilter):
    """A filter of a list that offers only the person's own rows."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        own = choices_within(field.remote_field.model._default_manager.all(), request, model_admin.minimum_role)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": own.values("pk")})


class _Scoped:
    """What the admin of a model and its inlines share. `obj` is the row, for inlines their parent."""

    minimum_role: ClassVar[Role] = Role.INSTRUCTOR

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> "models.QuerySet[Any]":
        queryset = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.using(db)
        return choices_within(queryset, request, self.minimum_role)

    def _is_allowed(self, request: HttpRequest, obj: models.Model | None) -> bool:
        """Whether the person holds the role at the row's university; without a row, anywhere."""
        scope = scope_of(request)
        if obj is None:
            return scope.has_any(self.minimum_role)
        return scope.allows(university_id_of(obj), self.minimum_role)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._is_allowed(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._is_allowed(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._is_allowed(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._is_allowed(request, obj)


class ScopedAdmin(_Scoped, ModelAdmin):
    """Base of every `ModelAdmin` for rows of a university.

    `minimum_role` is what a person must hold at a row's university to see and change it. `university_from` names the
    foreign key whose row gives a new row its university ("course" for a module); without it the form has a field
    `university`. Use `autocomplete_fields`, not `raw_id_fields`: those would name any row of any university.
    """

    form: Any = ScopedForm
    university_lookup: ClassVar[str] = "university"
    university_from: ClassVar[str | None] = None

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        rows = super().get_queryset(request)
        scope = scope_of(request)
        if scope.is_everywhere:
            return rows
        return rows.filter(**{f"{self.university_lookup}__in": scope.universities(self.minimum_role)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_allowed(request, None)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.university_from = self.university_from
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        # A row never moves to another university: what hangs on it would stay behind.
        return [*fixed, "university"] if obj and _university_field(self.model) else fixed

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        exclude = super().get_exclude(request, obj)
        return [*(exclude or ()), "university"] if self.university_from else exclude

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        own = scope_of(request).universities(self.minimum_role)
        if len(own) == 1:
            initial.setdefault("university", next(iter(own)))
        return initial

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [self._scoped_filter(entry) for entry in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list offers: Django takes every column of the row for a filter, the hash of a password too."""
        filters: list[Any] = [*self.list_filter, *([self.date_hierarchy] if self.date_hierarchy else [])]
        offered: list[str] = [entry if isinstance(entry, str) else entry[0] for entry in filters]
        is_offered = any(lookup.removeprefix(name) in _FILTERS for name in offered if lookup.startswith(name))
        return is_offered and super().lookup_allowed(lookup, value, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """A pop-up hands over keys and nothing else; Django breaks on the name of a reverse relation."""
        return to_field == self.opts.pk.name

    def _scoped_filter(self, entry: Any) -> Any:
        if not isinstance(entry, str) or "__" in entry:
            return entry
        return (entry, ScopedFilter) if self.model._meta.get_field(entry).is_relation else entry

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The last wall, for forms that are not a `ScopedForm` too."""
        if self.university_from and obj.university_id is None:
            obj.university_id = university_id_of(getattr(obj, self.university_from))
        if not self._is_allowed(request, obj):
            raise NotAllowed
        refuse_strangers(obj)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            if _university_field(type(row)):
                row.university_id = university_id_of(form.instance)
                refuse_strangers(row)
        super().save_formset(request, form, formset, change)

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:  # type: ignore[override]
        """Django looks for whatever was sent, and breaks where it cannot be a key."""
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(key)
        except ValidationError as error:
            raise NotVisible from error
        return super().response_action(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the chosen rows are named: what goes with them is counted, since it may be a student's own words."""
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        going: dict[Any, Any] = dict(collector.model_objs)
        for row in [*collector.protected, *(row for rows in going.values() for row in rows)]:
            if _university_field(type(row)) and not self._is_allowed(request, row):
                raise NotAllowed
        counts = {model._meta.verbose_name_plural: len(rows) for model, rows in going.items()}
        missing = {str(model._meta.verbose_name) for model in going if not self._may_delete(request, model)}
        return [str(row) for row in objs], counts, missing, [str(row) for row in collector.protected]

    def _may_delete(self, request: HttpRequest, model: type[models.Model]) -> bool:
        if not self.admin_site.is_registered(model):
            return True
        return self.admin_site.get_model_admin(model).has_delete_permission(request)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Straight to the page, because the site has no look-up by content type and id."""
        return obj.get_absolute_url() if obj is not None and hasattr(obj, "get_absolute_url") else None

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        # Django redirects with a message that repeats the id. Absent and foreign are the same page of 404 instead.
        raise NotVisible

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "admin.added", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "admin.changed", obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, "admin.deleted", obj)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, action: str, obj: models.Model) -> None:
        university = obj if isinstance(obj, University) else getattr(obj, "university", None)
        user = request.user if isinstance(request.user, User) else None
        audit.record(by=user, action=action, subject=obj, university=university)


class ScopedTabularInline(_Scoped, TabularInline):
    """Rows on the page of their parent, which gives them its university."""

    exclude: ClassVar[Any] = ["university"]


class ScopedStackedInline(_Scoped, StackedInline):
    exclude: ClassVar[Any] = ["university"]
