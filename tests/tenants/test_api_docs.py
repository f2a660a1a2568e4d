"""docs/api.md is held to the code: every operation and every code is named there."""

import re
from pathlib import Path

from lms.api import api
from tenants.errors import DomainError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


def codes_of(error: type[DomainError]) -> set[str]:
    # The importer's refusals reach people through its command alone; other tests may have loaded them or not.
    own = set() if error.__module__.startswith("lms.courses.importing") else {error.code}
    return own.union(*(codes_of(each) for each in error.__subclasses__()))


def test_every_operation_is_named() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert len(operations) > 30
    assert operations - set(re.findall(r"`([A-Z]+ /[^`]*)`", PAGE)) == set()


def test_nothing_else_is_named() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", PAGE, re.MULTILINE)) - operations == set()


def test_every_code_is_named() -> None:
    table = PAGE.partition("## Errors")[2].partition("## ")[0]
    own = {code for code in codes_of(DomainError) if code}
    assert own - set(re.findall(r"`([a-z_]+)`", table)) == set()
