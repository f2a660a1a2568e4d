"""What the import linter cannot say about the tree."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
APPS = ["lms", "tutoring", "prompts", "tenants"]
SOURCES = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
DRAWERS = {"utils", "util", "helpers", "common", "services", "misc", "tools", "base"}
# Django finds a database's backend by this name.
BACKEND = "postgresql/base.py"


def names(paths: list[Path]) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_the_outer_modules_make_no_queries():
    outside = {"api", "views", "consumers", "schemas"}
    outer = [p for p in SOURCES if outside.intersection((p.stem, *p.relative_to(ROOT).parts))]
    assert outer
    assert names([p for p in outer if ".objects" in p.read_text()]) == []


def test_there_are_no_drawers():
    found = names([p for p in SOURCES if DRAWERS.intersection((p.stem, *p.relative_to(ROOT).parts))])
    assert [name for name in found if not name.endswith(BACKEND)] == []


def test_the_vendor_sdk_is_imported_in_one_file():
    importing = [p for p in SOURCES if any(m.split(".")[0] == "anthropic" for m in imported_modules(p))]
    assert names(importing) == ["tutoring/providers/anthropic.py"]


def test_langfuse_is_imported_in_one_file():
    importing = [p for p in SOURCES if any(m.split(".")[0] == "langfuse" for m in imported_modules(p))]
    assert names(importing) == ["tutoring/langfuse_client.py"]


# Calls whose first argument names something outside PostgreSQL.
NAMING = re.compile(
    r"(?:.*\.)?group_(?:add|send|discard)|(?:.*\.)?default_storage\.save"
    r"|(?:.*\.)?caches?(?:\[.*\])?\.a?(?:get|set|add|delete|incr|decr|touch|get_or_set|get_many|set_many|delete_many)"
)


def names_outside_postgresql(tree: ast.Module) -> list[ast.expr]:
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args]
    uploads = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "upload_to"]
    return [call.args[0] for call in calls if NAMING.fullmatch(ast.unparse(call.func))] + uploads


def makers_of_keys(tree: ast.Module) -> set[str]:
    """`key_for`, and the functions of this file that return nothing else."""
    makers = {"key_for"}
    for function in functions_of(tree):
        returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
        if returned and all(is_call_of({"key_for"}, value) for value in returned):
            makers.add(function.name)
    return makers


def is_made_by_key_for(tree: ast.Module, name: ast.expr) -> bool:
    """At once, or as a variable or parameter that this file gives nothing else."""
    makers = makers_of_keys(tree)
    if not isinstance(name, ast.Name):
        return is_call_of(makers, name)
    given = [n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and name.id in map(ast.unparse, n.targets)]
    for function in functions_of(tree):
        parameters = [argument.arg for argument in function.args.args]
        if name.id in parameters:
            calls = [n for n in ast.walk(tree) if is_call_of({function.name}, n)]
            given += [call.args[parameters.index(name.id)] for call in calls]
    return name.id in makers or (bool(given) and all(is_call_of(makers, value) for value in given))


def functions_of(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_call_of(names: set[str], node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names


def test_what_lies_outside_the_database_is_named_by_one_function():
    trees = {path: ast.parse(path.read_text()) for path in SOURCES}
    naming = {path: found for path, tree in trees.items() if (found := names_outside_postgresql(tree))}
    assert {"lms/courses/models.py", "lms/courses/queries.py", "tutoring/relay.py"} <= set(names([*naming]))
    strangers = [p for p, found in naming.items() if not all(is_made_by_key_for(trees[p], name) for name in found)]
    assert names(strangers) == []


@pytest.mark.parametrize(
    ("source", "is_ours"),
    [
        ("cache.set(key_for(7, 'cards'), cards)", True),
        ("cache.set(f'cards:{university}', cards)", False),
        ("caches['default'].get('cards')", False),
        ("cache.aget('cards')", False),
        ("key = key_for(7, 'a')\ncache.get(key)", True),
        ("key = key_for(7, 'a')\nkey = key + 'b'\ncache.get(key)", False),
        ("def listen(group):\n    layer.group_add(group, channel)\nlisten(key_for(7, 'a'))", True),
        ("def listen(group):\n    layer.group_add(group, channel)\nlisten('tutor')", False),
        ("def listen(group):\n    layer.group_add(group, channel)", False),
        ("def place(row, name):\n    return key_for(row.id, name)\nFileField(upload_to=place)", True),
        ("def place(row, name):\n    return f'all/{name}'\nFileField(upload_to=place)", False),
        ("FileField(upload_to='all/')", False),
        ("default_storage.save('all/x.txt', content)", False),
    ],
)
def test_a_name_that_is_made_otherwise_is_found(source: str, is_ours: bool):
    tree = ast.parse(source)
    (name,) = names_outside_postgresql(tree)
    assert is_made_by_key_for(tree, name) is is_ours


def test_there_are_no_signals():
    assert names([p for p in SOURCES if "django.dispatch" in imported_modules(p)]) == []


def test_files_stay_near_300_lines():
    assert names([p for p in SOURCES if p.read_text().count("\n") > 330]) == []


def test_templates_carry_nothing_inline():
    inline = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json)|<style|\sstyle=\"|\son[a-z]+=\"")
    templates = list((ROOT / "templates").rglob("*.html"))
    assert templates
    assert names([p for p in templates if inline.search(p.read_text())]) == []


def test_colours_are_named_in_one_file():
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch)\(")
    sheets = list((ROOT / "static" / "css").rglob("*.css"))
    assert sheets
    assert names([p for p in sheets if literal.search(p.read_text())]) == ["static/css/tokens.css"]


def test_migrations_are_named_for_what_they_do():
    files = [p for app in APPS for p in (ROOT / app).rglob("migrations/0*.py")]
    assert files
    assert names([p for p in files if "_auto_" in p.name or p.stem.endswith("_initial")]) == []


def test_the_lock_file_names_no_host():
    assert re.findall(r"https?://\S+|--index-url|--find-links", (ROOT / "requirements.lock").read_text()) == []


def test_the_tree_names_no_machine():
    command = ["git", "ls-files"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in tracked.splitlines()]
    texts = [p for p in paths if p.is_file() and p.suffix in {".py", ".md", ".toml", ".html", ".css", ".js", ""}]
    machine = re.compile(r"(?<![\w./])/(?:wor[k]|roo[t]|far[m])/")
    assert names([p for p in texts if machine.search(p.read_text(errors="ignore"))]) == []


@pytest.mark.django_db(databases=["default", "owner"])
def test_no_migration_is_missing(capsys):
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    except SystemExit:
        pytest.fail(capsys.readouterr().out)


@pytest.mark.django_db
def test_the_system_checks_find_nothing(capsys):
    call_command("check", fail_level="WARNING")
    assert capsys.readouterr().out == "System check identified no issues (1 silenced).\n"
