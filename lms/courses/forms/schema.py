"""Forms drawn from a JSON Schema: an object is a form, an array of objects is a set of rows. No database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.forms.utils import ErrorList
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from lms.courses.forms.drawing import ABSENT, Kind, Node, draw, kind_for, kind_of, shown_json
from lms.courses.schema_order import ordered_properties

if TYPE_CHECKING:
    Rows = BaseFormSet["ObjectForm"]
else:
    Rows = BaseFormSet

# Added to a field's name when it holds JSON, so that the form that comes back is read as the one that was sent.
_JSON = "~json"
# Properties that the schema allows without naming them.
_OTHERS = "~others"
_HANDLING = frozenset({"ORDER", "DELETE"})


class Problem(NamedTuple):
    """What a form says of one of its fields; `place` names it for people."""

    place: str
    message: str


class ObjectForm(forms.Form):
    """The fields of one JSON object, and its `rows`: a set of further forms for each array of objects.

    `initial` is the object as stored; None is a new one, which begins with the schema's defaults. `row_forms` gives
    arrays a form class of their own, by their path ("questions", "questions.options"). `about` is whatever such a
    class wants to know beside the data; `about_rows` hands it on.
    """

    row_forms: ClassVar[Mapping[str, type["ObjectForm"]]] = {}

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        *,
        schema: Node,
        initial: Mapping[str, Any] | None = None,
        path: str = "",
        row_forms: Mapping[str, type["ObjectForm"]] | None = None,
        about: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.schema = schema
        self.path = path
        self.stored = initial
        self.about = about
        self.rows: dict[str, RowSet] = {}
        # The forms whose rows stay, by property, in the order of the assembled data.
        self.kept: dict[str, list[ObjectForm]] = {}
        self._row_forms = self.row_forms if row_forms is None else row_forms
        self._properties = ordered_properties(schema)
        for name, node in self._properties.items():
            self._draw(name, node)
        self._draw_others()

    def _draw(self, name: str, node: Node) -> None:
        value = self._initial(name, node)
        kind = self._kind(name, node, value)
        if kind == "rows":
            self.rows[name] = self._row_set(name, node, value)
            return
        is_json = kind == "json"
        key = name + _JSON if is_json else name
        self.fields[key] = draw(kind, name, node, is_required=name in self._required)
        if name == "id" and self.path:
            self.fields[key].widget.attrs["placeholder"] = _("made for you")
        if value is not ABSENT:
            self.initial[key] = shown_json(value) if is_json else value

    def _kind(self, name: str, node: Node, value: Any) -> Kind:
        if not self.is_bound:
            return kind_for(node, value)
        return "json" if self.add_prefix(name + _JSON) in self.data else _never_json(kind_for(node, value), node)

    def _initial(self, name: str, node: Node) -> Any:
        if self.stored is not None and name in self.stored:
            return self.stored[name]
        is_offered = self.stored is None or name in self._required
        return node.get("default", ABSENT) if is_offered else ABSENT

    def _row_set(self, name: str, node: Node, value: Any) -> "RowSet":
        path = f"{self.path}.{name}".lstrip(".")
        prefix = self.add_prefix(name)
        is_sent = self.is_bound and f"{prefix}-TOTAL_FORMS" in self.data
        factory = formset_factory(
            self._row_forms.get(path, ObjectForm),
            formset=RowSet,
            extra=BLANK_ROWS,
            min_num=1 if self.stored is None and node.get("minItems") else 0,
            can_order=True,
            can_delete=True,
        )
        row_set = cast(
            "RowSet",
            factory(
                self.data if is_sent else None,
                prefix=prefix,
                initial=value if value is not ABSENT and value else None,
                form_kwargs={
                    "schema": node["items"],
                    "path": path,
                    "row_forms": self._row_forms,
                    "about": self.about_rows(),
                },
            ),
        )
        row_set.name, row_set.node = name, node
        return row_set

    def about_rows(self) -> Any:
        return self.about

    def _draw_others(self) -> None:
        """A box for what is stored beside the named properties, which saving must not lose."""
        others = {name: value for name, value in (self.stored or {}).items() if name not in self._properties}
        if others or self.add_prefix(_OTHERS) in self.data:
            self.fields[_OTHERS] = draw("json", _("Other properties"), {}, is_required=False)
            self.initial[_OTHERS] = shown_json(others)

    @property
    def _required(self) -> Sequence[str]:
        required: Sequence[str] = self.schema.get("required", ())
        return required

    def parts(self) -> "Iterator[forms.BoundField | RowSet]":
        """What the template goes through, in the schema's order."""
        for name in self._properties:
            yield self.rows[name] if name in self.rows else self[self._key(name)]
        if _OTHERS in self.fields:
            yield self[_OTHERS]

    def _key(self, name: str) -> str:
        return name if name in self.fields else name + _JSON

    @property
    def is_blank(self) -> bool:
        """A row offered for filling in that nobody has filled in."""
        return self.empty_permitted and not (self.is_bound and self.has_changed())

    def has_changed(self) -> bool:
        if self.is_bound and "ORDER" in self.fields and self.add_prefix("ORDER") not in self.data:
            return False
        return bool(set(self.changed_data) - _HANDLING) or any(rows.has_changed() for rows in self.rows.values())

    def is_valid(self) -> bool:
        return super().is_valid() and all(rows.is_valid() for rows in self.rows.values() if rows.is_bound)

    def clean(self) -> dict[str, Any]:
        if not all(rows.is_bound for rows in self.rows.values()):
            self.add_error(None, _("Part of this form did not arrive. Nothing was saved; please send it again."))
        return self.cleaned_data

    def value(self) -> dict[str, Any]:
        """The JSON object that a valid form stands for."""
        assembled = {}
        for name, node in self._properties.items():
            value = self._rows_value(name) if name in self.rows else self.cleaned_data.get(self._key(name), ABSENT)
            if self._is_given(name, node, value):
                assembled[name] = value
        others = self.cleaned_data.get(_OTHERS, ABSENT)
        return assembled | (others if isinstance(others, dict) else {})

    def _rows_value(self, name: str) -> list[dict[str, Any]]:
        self.kept[name] = self.rows[name].ordered_forms
        values = [form.value() for form in self.kept[name]]
        fill_ids(values, name)
        return values

    def _is_given(self, name: str, node: Node, value: Any) -> bool:
        if value is ABSENT:
            return False
        is_empty = name + _JSON not in self.fields and value in ("", None, [])
        return not is_empty or (name in self._required and value is not None) or node.get("default", ABSENT) == value

    def problems(self, above: Sequence[str] = ()) -> Iterator[Problem]:
        """All that is said on this form and on its rows, in their order."""
        for name, messages in self.errors.items():
            label = [str(self.fields[name].label)] if name in self.fields else []
            yield from (Problem(", ".join([*above, *label]), str(message)) for message in messages)
        for rows in self.rows.values():
            yield from (Problem(", ".join([*above, rows.label]), str(message)) for message in rows.non_form_errors())
            for number, form in enumerate(rows.forms if rows.is_bound else (), 1):
                yield from form.problems([*above, f"{rows.singular} {number}"])

    def refuse(self, path: Sequence[str | int], message: str) -> None:
        """Put a message beside the field at `path` of the value, or as near to it as there is a place."""
        if not path:
            self.add_error(None, message)
            return
        name, *rest = path
        if name in self.kept and rest:
            index, *inner = rest
            self.kept[str(name)][int(index)].refuse(inner, message)
        elif name in self.kept:
            self.rows[str(name)].refuse(message)
        else:
            key = self._key(str(name))
            self.add_error(key if key in self.fields else None, message)


BLANK_ROWS = 2


class RowSet(Rows):
    """The rows of an array of objects. Blank ones do not count; each may be taken away or given another place."""

    is_rows = True
    name: str
    node: Node

    @property
    def label(self) -> str:
        return str(self.node.get("title") or self.name.replace("_", " ").capitalize())

    @property
    def help_text(self) -> str:
        return str(self.node.get("description", ""))

    @property
    def singular(self) -> str:
        return self.label.removesuffix("s")

    @property
    def placeholder(self) -> str:
        """Stands for the number in the names of the row that the script copies; nested sets have others."""
        return f"__{str(self.prefix).count('-')}__"

    @cached_property
    def empty_form(self) -> Any:
        form = self.form(
            auto_id=self.auto_id,
            prefix=self.add_prefix(self.placeholder),
            empty_permitted=True,
            use_required_attribute=False,
            **self.get_form_kwargs(None),
            renderer=self.form_renderer,  # type: ignore[attr-defined]
        )
        self.add_fields(form, None)
        return form

    def total_form_count(self) -> int:
        # Rows of an empty form are drawn only for the script, which adds them when they are wanted.
        is_pattern = "__" in str(self.prefix)
        return self.min_num if is_pattern and not self.is_bound else super().total_form_count()

    def refuse(self, message: str) -> None:
        errors: ErrorList = self.non_form_errors()
        errors.append(message)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Place")
        form.fields["ORDER"].widget.attrs |= {"class": "rows__place", "min": 1}
        form.fields["DELETE"].label = _("Remove")

    def __iter__(self: Self) -> Iterator[ObjectForm]:
        return super().__iter__()


def fill_ids(rows: Sequence[dict[str, Any]], name: str) -> None:
    """Give rows that need an id and were left without one the next free: q1, q2 for questions."""
    taken = {row["id"] for row in rows if row.get("id")}
    number = 0
    for row in rows:
        if row.get("id") != "":
            continue
        while not row["id"] or row["id"] in taken:
            number += 1
            row["id"] = f"{name[0]}{number}"
        taken.add(row["id"])


def _never_json(kind: Kind, node: Node) -> Kind:
    """A form that was sent without the JSON box shows the schema's own field."""
    return kind_of(node) if kind == "json" else kind
