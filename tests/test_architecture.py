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
    assert names([p for p in SOURCES if DRAWERS.intersection((p.stem, *p.relative_to(ROOT).parts))]) == []


def test_the_vendor_sdk_is_imported_in_one_file():
    importing = [p for p in SOURCES if any(m.split(".")[0] == "anthropic" for m in imported_modules(p))]
    assert names(importing) == ["tutoring/providers/anthropic.py"]


def test_langfuse_is_imported_in_one_file():
    importing = [p for p in SOURCES if any(m.split(".")[0] == "langfuse" for m in imported_modules(p))]
    assert names(importing) == ["tutoring/langfuse_client.py"]


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
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
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
