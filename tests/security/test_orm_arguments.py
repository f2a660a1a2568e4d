"""No dictionary from outside reaches the ORM as keyword arguments, where its keys would be look-ups and columns."""

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps

from tests.test_architecture import ROOT, SOURCES

METHODS = {
    "filter", "exclude", "get", "create", "update", "get_or_create", "update_or_create", "create_user",
    "create_superuser", "annotate", "alias", "aggregate", "values", "values_list", "order_by", "only", "defer",
    "select_related", "prefetch_related", "in_bulk", "latest", "earliest", "distinct",
}  # fmt: skip
MAKERS = {"Q", "F", "model", "setattr"}
# Where names are given that neither the function nor its file writes out; and why nobody outside can choose them.
KNOWN = {
    ("lms/courses/actions/items.py", "update(changes)"): "parameters of update_item, which lists them",
    ("lms/courses/actions/items.py", "setattr(name)"): "the same",
    ("lms/courses/actions/tree.py", "update(values)"): "fields of the named tuple Place",
    ("lms/courses/actions/tree.py", "values_list(Place._fields)"): "the same",
    ("lms/courses/admin/courses.py", "setattr(shortcut)"): "a widget of Django's admin",
    ("tenants/actions.py", "setattr(field)"): "fields of the caller's typed dictionary, taken from the type",
    ("tenants/admin/scoped.py", "filter({f'{self.university_lookup}__in': …})"): "an attribute of the admin's class",
    ("tenants/models.py", "create_user(fields)"): "called with names alone, by commands and tests",
    ("tenants/models.py", "model(fields)"): "the same",
    ("tutoring/actions/budgets.py", "Budget(limit.key)"): "the key's three columns, listed in Limit.key",
    ("tutoring/actions/budgets.py", "create(spent.usage.as_columns())"): "four columns, listed in Usage.as_columns",
    ("tutoring/actions/generations.py", "update(spent.usage.as_columns())"): "the same",
    ("tutoring/budget_periods.py", "Q(limit.key)"): "the key's three columns",
    ("tutoring/admin/feedback.py", "defer(said)"): "columns listed in the file",
    ("tutoring/providers/anthropic.py", "create(_body(request))"): "a request to the provider, and no row",
    ("tutoring/queries/ledger.py", "annotate({f'sum_{name}': …})"): "names of _SUMS",
    ("tutoring/queries/ledger.py", "order_by(groups)"): "values of a table in the file; the command refuses others",
    ("tutoring/queries/ledger.py", "values_list(groups)"): "the same",
}


def chosen_elsewhere(tree: ast.Module) -> Iterator[str]:
    """Calls of the ORM with names that are written out neither in their function nor as a constant of the file."""
    for scope in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module)]:
        for call in [n for n in _own(scope) if isinstance(n, ast.Call) and _is_orm(n)]:
            for value in _names_given(call):
                if not _is_written_out(value, scope, tree):
                    yield f"{_name(call)}({_short(value)})"


def _is_orm(call: ast.Call) -> bool:
    """By its name: a method of managers and querysets, with or without its "a", or what makes a row."""
    name = _name(call)
    if name in MAKERS or name in {model.__name__ for model in apps.get_models()}:
        return True
    return isinstance(call.func, ast.Attribute) and (name in METHODS or name.removeprefix("a") in METHODS)


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _names_given(call: ast.Call) -> list[ast.expr]:
    """What stands for names of columns and look-ups without saying them."""
    given = [each.value for each in call.keywords if each.arg is None]
    given += [each.value for each in call.args if isinstance(each, ast.Starred)]
    if _name(call) == "setattr":
        return [call.args[1]]
    if _name(call) in ("order_by", "latest", "earliest"):
        given += [each for each in call.args if isinstance(each, ast.Name)]
    return given


def _is_written_out(value: ast.expr | None, scope: ast.AST, tree: ast.Module) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Dict():
            unpacked = [part for key, part in zip(value.keys, value.values, strict=True) if key is None]
            is_literal = all(isinstance(key, ast.Constant) for key in value.keys if key)
            return is_literal and all(_is_written_out(part, scope, tree) for part in unpacked)
        case ast.List() | ast.Tuple():
            return all(_is_written_out(part, scope, tree) for part in value.elts)
        case ast.IfExp():
            return all(_is_written_out(part, scope, tree) for part in (value.body, value.orelse))
        case ast.Name():
            place = tree if value.id.isupper() else scope
            given = [n.value for n in _own(place) if isinstance(n, ast.Assign) and value.id in _targets(n)]
            return bool(given) and all(_is_written_out(each, scope, tree) for each in given)
    return False


def _targets(assignment: ast.Assign) -> list[str]:
    return [ast.unparse(target) for target in assignment.targets]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, or in the file, and in no function inside it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _short(value: ast.expr) -> str:
    if isinstance(value, ast.Dict | ast.DictComp):
        first = value.key if isinstance(value, ast.DictComp) else value.keys[0]
        return f"{{{ast.unparse(first)}: …}}"
    return ast.unparse(value)


def test_names_of_columns_and_look_ups_come_from_the_code() -> None:
    found = {
        (str(path.relative_to(ROOT)), call)
        for path in SOURCES
        for call in chosen_elsewhere(ast.parse(path.read_text()))
    }
    assert sorted(found) == sorted(KNOWN)


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("Course.objects.filter(**request.GET.dict())", True),
        ("rows.filter(title=title).exclude(**given)", True),
        ("await rows.aupdate(**payload.dict())", True),
        ("Course(**payload.model_dump())", True),
        ("Q(**{lookup: value})", True),
        ("Q(**{f'{name}__in': value})", True),
        ("rows.order_by(*fields)", True),
        ("rows.order_by(ordering)", True),
        ("for name, value in given.items():\n    setattr(row, name, value)", True),
        ("def find(given):\n    place = {'pk': 1}\n    place = given\n    return rows.get(**place)", True),
        ("def find(given):\n    place = {'pk': 1, **given}\n    return rows.get(**place)", True),
        ("place = {'pk': 1}\ndef find(place):\n    return rows.get(**place)", True),
        ("def find(slug):\n    place = {'slug': slug} if slug else {}\n    return rows.get(**place)", False),
        ("_ORDER = ('title', 'pk')\ndef find():\n    return rows.order_by(*_ORDER)", False),
        ("rows.order_by('title', F('pk').desc())", False),
        ("given.update(other, title='x')", False),
        ("publish(**form.cleaned_data)", False),
    ],
)
def test_a_name_that_is_chosen_elsewhere_is_found(source: str, is_found: bool) -> None:
    assert bool(list(chosen_elsewhere(ast.parse(source)))) is is_found
