"""Whether this installation is whole: what `manage.py doctor` looks at, and in which order."""

from collections.abc import Generator, Iterable, Iterator

from django.db import DatabaseError

from lms.doctor import content, database, site, upstream
from lms.doctor.findings import Check, Finding, fail, warn
from tenants.platform import platform

__all__ = ["Finding", "examine"]

_OF_DATABASE: list[Check] = [
    database.application_role,
    database.owner,
    database.platform,
    database.pool,
]
_OF_CONTENT: list[Check] = [
    content.content_types,
    content.prompts,
    content.lesson_prompts,
    content.course_trees,
    content.replies,
]
_OF_SITE: list[Check] = [
    site.secrets,
    site.addresses,
    site.static_files,
    site.media_files,
    upstream.mail,
    upstream.redis,
    upstream.tutor,
    upstream.failover,
    upstream.prices,
    upstream.langfuse,
]


def examine() -> Iterator[Finding]:
    """Each check's finding as soon as it is known. What needs the database is not tried where that does not answer."""
    if (yield from _report(database.database)):
        yield from map(_finding, _OF_DATABASE)
        if (yield from _report(database.migrations)):
            yield _finding(database.walls)
            yield from _examine_content()
        else:
            yield from _skipped([database.walls, *_OF_CONTENT], "the tables are not up to date")
    else:
        yield from _skipped(
            [*_OF_DATABASE, database.migrations, database.walls, *_OF_CONTENT], "the database does not answer"
        )
    yield from map(_finding, _OF_SITE)


def _examine_content() -> Iterator[Finding]:
    """At all universities, so through the platform's own connection."""
    try:
        with platform(by=None, why="manage.py doctor"):
            findings = [_finding(check) for check in _OF_CONTENT]
    except DatabaseError:
        yield from _skipped(_OF_CONTENT, "the platform's role cannot read it")
    else:
        yield from findings


def _report(check: Check) -> Generator[Finding, None, bool]:
    """Its value is whether there is a point in going on."""
    finding = _finding(check)
    yield finding
    return finding.state != "fail"


def _finding(check: Check) -> Finding:
    try:
        verdict = check()
    except Exception as error:
        # By its name alone: the words of an error may hold an address with a password.
        verdict = fail(f"The check itself broke, with {type(error).__name__}.")
    return Finding(_name(check), verdict.state, verdict.sentence)


def _skipped(checks: Iterable[Check], why: str) -> Iterator[Finding]:
    for check in checks:
        verdict = warn(f"Not looked at, because {why}.")
        yield Finding(_name(check), verdict.state, verdict.sentence)


def _name(check: Check) -> str:
    return check.__name__.replace("_", " ")
