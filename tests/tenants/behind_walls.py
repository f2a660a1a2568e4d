"""A process with the three real roles and a pool of one connection: what it sees, as JSON on its output.

Run by `test_real_roles` with a database that has the demonstration in it.
"""

import json
import sys

import django

django.setup()

from django.db import DatabaseError, connection, transaction  # noqa: E402

from lms.courses.models import Course  # noqa: E402
from tenants.models import AuditEntry, Membership, University  # noqa: E402
from tenants.platform import platform  # noqa: E402
from tenants.register import has_university, walled_models  # noqa: E402
from tenants.visits import visit, within  # noqa: E402

TABLES = sorted(model._meta.db_table for model, _wall in walled_models() if has_university(model))


def seen() -> dict[str, list[int | None]]:
    """Universities of the rows of each table that has any; straight from SQL, since no model is to be trusted."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT DISTINCT university_id FROM {table} ORDER BY 1")
            if rows := [university for (university,) in cursor.fetchall()]:
                found[table] = rows
    return found


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.university', true), ''), current_user")
        return " ".join(cursor.fetchone())


def after_a_rollback() -> list[int]:
    """What the same connection shows outside, when a transaction inside was undone."""
    with within(NORTH), transaction.atomic():
        courses = Course.objects.count()
        transaction.set_rollback(True)
    return [courses, Course.objects.count()]


def after_a_savepoint() -> list[int]:
    """A statement that fails, undone within its transaction, takes the university away from none that follow."""
    with within(NORTH), transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        except DatabaseError:
            return [Course.objects.count()]
    raise AssertionError("the statement did not fail")


def refused(write: object) -> str:
    try:
        with transaction.atomic():
            write()
    except DatabaseError as error:
        return type(error.__cause__).__name__
    return "done"


def writes() -> dict[str, str]:
    """What the application's role may not do at North with what is South's."""
    south_course = {"university_id": SOUTH, "code": "X", "title": "X", "slug": "x"}
    with within(NORTH):
        return {
            "add": refused(lambda: Course.objects.create(**south_course)),
            "move": refused(lambda: Course.objects.update(university_id=SOUTH)),
            "change": str(Course.objects.filter(university=SOUTH).update(title="Taken")),
            "delete": str(Course.objects.filter(university=SOUTH)._raw_delete("default")),
            "point": refused(lambda: Membership.objects.update(department_id=DEPARTMENT)),
            "found a university": refused(lambda: University.objects.create(slug="new", name="New", country_id=1)),
            "read the platform's log": str(AuditEntry.objects.filter(university=None).count()),
            "make a shared prompt": refused(lambda: sql("INSERT INTO prompts_prompt SELECT * FROM prompts_prompt")),
            "become the platform": refused(lambda: sql("SET ROLE colloquy_platform")),
            "take down a wall": refused(lambda: sql("ALTER TABLE courses_course NO FORCE ROW LEVEL SECURITY")),
        }


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


with platform(by=None, why="a test"):
    NORTH, SOUTH = University.objects.order_by("slug").values_list("pk", flat=True)
    DEPARTMENT = University.objects.get(pk=SOUTH).departments.create(code="D", name="D").pk
    everywhere, as_platform = seen(), setting()
with within(NORTH):
    at_north = seen()
with visit():
    on_a_visit = seen()
answer = {
    "universities": [NORTH, SOUTH],
    "tables": TABLES,
    "outside": [seen(), setting()],
    "on a visit": on_a_visit,
    "at North": at_north,
    "everywhere": everywhere,
    "as the platform": as_platform,
    "after a rollback": after_a_rollback(),
    "after a savepoint": after_a_savepoint(),
    "writes": writes(),
    "at the end": setting(),
}
with platform(by=None, why="to read what was recorded"):
    log = AuditEntry.objects.filter(action="platform.opened").order_by("id").values_list("detail__why", flat=True)
    answer["recorded"] = list(log)
json.dump(answer, sys.stdout)
