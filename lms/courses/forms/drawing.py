"""From one property of a JSON Schema to the form field that edits it. No database."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Node = Mapping[str, Any]
Kind = Literal["choice", "line", "text", "markdown", "code", "integer", "number", "boolean", "lines", "rows", "json"]

# Longer texts than this get a box instead of a line.
_LINE_MAX_CHARACTERS = 2000
_PAGE_CHARACTERS = 200_000
_FORMATS: dict[str, Kind] = {"markdown": "markdown", "code": "code", "textarea": "text"}


class _Absent:
    """Tells "the property is not there" from JSON's null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


def kind_of(node: Node) -> Kind:
    """What edits values of this schema; `json` for everything that no field expresses."""
    if "enum" in node:
        return "choice" if node["enum"] and all(isinstance(choice, str) for choice in node["enum"]) else "json"
    match node.get("type"):
        case "string":
            return _kind_of_string(node)
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "boolean":
            return "boolean"
        case "array":
            return _kind_of_array(node.get("items"))
        case _:
            return "json"


def _kind_of_string(node: Node) -> Kind:
    special = _FORMATS.get(node.get("format", ""))
    if special:
        return special
    is_short = "pattern" in node or node.get("maxLength", _LINE_MAX_CHARACTERS + 1) <= _LINE_MAX_CHARACTERS
    return "line" if is_short else "text"


def _kind_of_array(items: Any) -> Kind:
    if not isinstance(items, Mapping):
        return "json"
    if items.get("type") == "string" and "enum" not in items:
        return "lines"
    return "rows" if items.get("type") == "object" and items.get("properties") else "json"


def kind_for(node: Node, value: Any) -> Kind:
    """As `kind_of`, or what can show a stored value that does not fit it."""
    kind = kind_of(node)
    if value is ABSENT or _fits(kind, node, value):
        return kind
    return "text" if kind == "line" and isinstance(value, str) else "json"


def _fits(kind: Kind, node: Node, value: Any) -> bool:
    match kind:
        case "choice":
            return value in node["enum"]
        case "line":
            # Browsers take line ends out of a one-line field.
            return isinstance(value, str) and not set("\r\n") & set(value)
        case "text" | "markdown" | "code":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "lines":
            return isinstance(value, list) and all(_is_line(entry) for entry in value)
        case "rows":
            return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
        case "json":
            return True


def _is_line(entry: Any) -> bool:
    return isinstance(entry, str) and entry == entry.strip() != "" and len(entry.splitlines()) == 1


def draw(kind: Kind, name: str, node: Node, *, is_required: bool) -> forms.Field:
    """A field whose cleaned value is the JSON value; "", None, [] or `ABSENT` where nothing was given."""
    field = _field(kind, node, is_required)
    field.label = node.get("title") or name.replace("_", " ").capitalize()
    field.help_text = node.get("description", "")
    field.widget.attrs |= {"data-kind": kind}
    return field


def _field(kind: Kind, node: Node, is_required: bool) -> forms.Field:
    match kind:
        case "choice":
            blank = [] if is_required and node.get("default") in node["enum"] else [("", "---------")]
            choices = [(choice, choice.replace("_", " ").capitalize()) for choice in node["enum"]]
            return forms.ChoiceField(choices=blank + choices, required=is_required)
        case "line":
            return LineField(required=False, widget=_line_widget(node))
        case "text" | "markdown" | "code":
            return TextField(required=False, strip=False, widget=_text_widget(kind, node))
        case "integer" | "number":
            return NumberField(required=is_required, whole=kind == "integer", **_bounds(node))
        case "boolean":
            return forms.BooleanField(required=False) if is_required else forms.NullBooleanField(required=False)
        case "lines":
            return LinesField(required=False)
        case _:
            return JsonField(required=False)


def _bounds(node: Node) -> dict[str, Any]:
    return {"min_value": node.get("minimum"), "max_value": node.get("maximum")}


def _line_widget(node: Node) -> forms.TextInput:
    attrs: dict[str, Any] = {"class": "vTextField", "autocomplete": "off"}
    if node.get("format") == "media-path":
        attrs["list"] = "course-files"
    if "pattern" in node:
        attrs |= {"spellcheck": "false"}
    return forms.TextInput(attrs=attrs)


def _text_widget(kind: Kind, node: Node) -> forms.Textarea:
    # A text of a page's length gets a page's room.
    rows = 16 if kind != "text" and node.get("maxLength", _PAGE_CHARACTERS) >= _PAGE_CHARACTERS else 4
    if kind == "code":
        return forms.Textarea(attrs={"class": "code-box", "rows": rows, "spellcheck": "false", "dir": "ltr"})
    return forms.Textarea(attrs={"class": "vLargeTextField", "rows": rows, "dir": "auto"})


def unix_lines(text: str) -> str:
    """Browsers send every line end of a box as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class LineField(forms.CharField):
    pass


class TextField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return unix_lines(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(unix_lines(initial or ""), unix_lines(data or ""))


class NumberField(forms.FloatField):
    """A whole number stays one: 3 is not stored as 3.0."""

    def __init__(self, *, whole: bool, **kwargs: Any) -> None:
        self._whole = whole
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = str(value).strip()
        try:
            return int(text)
        except ValueError:
            number = super().to_python(value)
        if number is not None and self._whole:
            raise ValidationError(_("Enter a whole number."))
        return number

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"step": 1 if self._whole else "any"}


class LinesField(forms.CharField):
    """A list of texts, one a line; blank lines do not count."""

    widget = forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "dir": "auto"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class JsonField(forms.CharField):
    """Any JSON value as text. Empty means that there is none: `ABSENT`."""

    widget = forms.Textarea(attrs={"rows": 6, "class": "code-box", "spellcheck": "false", "dir": "ltr"})

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return ABSENT
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except RecursionError:
            raise ValidationError(_("This is nested too deeply.")) from None
        except json.JSONDecodeError as error:
            raise ValidationError(
                _("This is not JSON: line %(line)s, column %(column)s: %(problem)s."),
                params={"line": error.lineno, "column": error.colno, "problem": error.msg},
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """Values come as JSON data, text as it was typed: `shown_json` tells them apart."""
        return value

    def run_validators(self, value: Any) -> None:
        """The schema validates it."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


def shown_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no number in JSON", name, 0)
