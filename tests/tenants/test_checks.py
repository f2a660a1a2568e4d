"""Each way in which the second wall may not be as it was built is found by the system checks, with a sentence."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from lms.courses.apps import CoursesConfig
from lms.embedded_postgres import APPLICATION, PLATFORM
from tenants import checks
from tenants.checks import every_model_is_registered, the_walls_stand
from tests.database import superuser_of

pytestmark = pytest.mark.django_db


def said_after(change: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the application's role finds in a transaction that nobody else sees, and that is undone."""
    with superuser_of(connection.settings_dict["NAME"]) as superuser, superuser.transaction(force_rollback=True):
        superuser.execute(change)
        superuser.execute(f"SET LOCAL ROLE {APPLICATION}")
        monkeypatch.setattr(checks, "_rows", lambda query, *values: superuser.execute(query, values or None).fetchall())
        return [(error.id, error.msg) for error in the_walls_stand(databases=["default"])]


def test_a_database_as_it_was_built_is_fine() -> None:
    assert run_checks(tags=[Tags.database], databases=["default"]) == []
    assert every_model_is_registered() == []


def test_only_a_named_database_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_rows", lambda *_query: pytest.fail("the database was asked"))
    assert (the_walls_stand(databases=None), the_walls_stand(databases=["owner"])) == ([], [])


def test_models_and_register_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = {name: wall for name, wall in CoursesConfig.walls.items() if name != "Module"}
    monkeypatch.setattr(CoursesConfig, "walls", walls | {"Chapter": walls["Course"]})
    assert [(error.id, error.msg) for error in every_model_is_registered()] == [
        ("tenants.E001", "The model courses.module has no wall."),
        ("tenants.E001", "courses.chapter has a wall and is no model."),
    ]


COURSES, MESSAGES = "courses_course", "tutoring_message"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            f"ALTER ROLE {APPLICATION} BYPASSRLS",
            ["E002: The application's role colloquy_app has BYPASSRLS."],
        ),
        (
            f"ALTER ROLE {APPLICATION} SUPERUSER",
            ["E002: The application's role colloquy_app is a superuser, whom no wall stops."],
        ),
        (
            f"GRANT {PLATFORM} TO {APPLICATION}",
            ["E002: The application's role colloquy_app may become colloquy_platform, whom no wall stops."],
        ),
        (
            f"ALTER TABLE tenants_country OWNER TO {APPLICATION}",
            [
                "E002: The application's role colloquy_app owns tables, such as tenants_country, and could take their"
                " walls down."
            ],
        ),
        (
            "ALTER TABLE courses_course NO FORCE ROW LEVEL SECURITY",
            ["E003: The table courses_course has no row-level security with FORCE."],
        ),
        (
            "ALTER TABLE courses_course DISABLE ROW LEVEL SECURITY",
            ["E003: The table courses_course has no row-level security with FORCE."],
        ),
        (
            "CREATE TABLE note (id int, university_id bigint); GRANT SELECT ON note TO PUBLIC",
            ["E003: The table note has a university_id and no wall."],
        ),
        (
            "CREATE POLICY all_see ON tutoring_message FOR SELECT USING (true)",
            ["E004: The table tutoring_message has a policy all_see that nobody generated."],
        ),
        (
            "ALTER POLICY university ON tutoring_message USING (true)",
            ["E004: The policy university of the table tutoring_message differs from the generated one."],
        ),
        (
            f"ALTER POLICY platform ON tutoring_message TO {APPLICATION}",
            ["E004: The policy platform of the table tutoring_message differs from the generated one."],
        ),
        (
            "DROP POLICY university ON tutoring_message",
            ["E004: The table tutoring_message lacks its policy university."],
        ),
        (
            "ALTER TABLE tutoring_message DROP CONSTRAINT tutoring_message_session_id_at_home",
            ["E005: The reference tutoring_message.session_id may point into another university."],
        ),
        (
            "GRANT EXECUTE ON FUNCTION app.university_of(text, text) TO PUBLIC",
            ["E006: The door app.university_of differs from what is installed."],
        ),
        (
            "ALTER FUNCTION app.lapsed_replies(integer) RENAME TO other",
            [
                "E006: The door app.lapsed_replies is not there.",
                "E006: The function app.other passes the walls and is no door that is known.",
            ],
        ),
    ],
)
def test_what_is_not_as_it_was_built_is_named(change: str, found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert said_after(change, monkeypatch) == [tuple(f"tenants.{line}".split(": ", 1)) for line in found]
