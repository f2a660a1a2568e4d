"""docs/operations.md is held to the code: every setting of the tutor and every line of its log is in it."""

import re
from pathlib import Path

from lms import tutor_settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
SOURCES = [path for app in ("lms", "tutoring") for path in (ROOT / app).rglob("*.py")]


def test_every_setting_of_the_tutor_is_explained():
    names = {name for name in vars(tutor_settings) if name.isupper() and not name.startswith("_")}
    assert "TUTOR_MODEL" in names
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_every_setting_that_is_explained_exists():
    explained = re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE)
    assert [name for name in explained if not hasattr(tutor_settings, name)] == []


def test_every_line_of_the_log_is_explained():
    call = re.compile(r'\.(?:info|warning|error|exception)\(\s*"((?:tutor|langfuse)_[a-z_]+)"')
    logged = {name for path in SOURCES for name in call.findall(path.read_text())}
    assert {"tutor_reply_ended", "tutor_upkeep_failed", "langfuse_trouble"} <= logged
    page = PAGE.replace("`…_closed`", "`tutor_upstream_breaker_closed`")
    assert sorted(name for name in logged if f"`{name}`" not in page) == []
