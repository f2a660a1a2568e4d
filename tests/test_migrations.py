import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.database import empty_database

ROOT = Path(__file__).resolve().parent.parent
TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = 'public' AND tablename ~ '^(tenants|prompts|courses|learning|tutoring)_' ORDER BY tablename
"""


def test_migrations_go_up_and_down_and_up_again():
    with empty_database("migrations") as addresses:

        def migrate(*arguments: str) -> list[str]:
            command = [sys.executable, "manage.py", "migrate", "--verbosity=0", *arguments]
            done = subprocess.run(command, cwd=ROOT, env=os.environ | addresses, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")
            with psycopg.connect(addresses["DATABASE_OWNER_URL"]) as owner:
                return [name for (name,) in owner.execute(TABLES)]

        after_up = migrate()
        assert "tutoring_generation" in after_up
        assert migrate("tenants", "zero") == []
        assert migrate() == after_up


def test_the_application_may_use_the_tables_and_owns_none():
    with empty_database("roles") as addresses:
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=ROOT, env=os.environ | addresses, check=True)
        with psycopg.connect(addresses["DATABASE_URL"], autocommit=True) as application:
            owned = "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
            assert application.execute(owned).fetchone() == (0,)
            assert application.execute("SELECT count(*) FROM tutoring_message").fetchone() == (0,)
            refused = [
                "CREATE TABLE mine (id int)",
                "DROP TABLE tutoring_message",
                "TRUNCATE tutoring_message",
                "ALTER TABLE tutoring_message DISABLE TRIGGER ALL",
                "UPDATE tenants_auditentry SET action = 'x'",
                "DELETE FROM tenants_auditentry",
                "DELETE FROM django_migrations",
            ]
            answers = []
            for statement in refused:
                try:
                    application.execute(statement)
                    answers.append("done")
                except psycopg.errors.InsufficientPrivilege:
                    answers.append("refused")
            assert answers == ["refused"] * len(refused)


def test_walls_are_built_around_what_is_there():
    """As in an update of a site from before there were walls; and taken down again with nothing lost."""
    with empty_database("walls") as addresses:
        environment = os.environ | addresses

        def manage(*arguments: str) -> None:
            command = [sys.executable, "manage.py", *arguments]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")

        def items() -> int:
            with psycopg.connect(addresses["DATABASE_PLATFORM_URL"]) as platform:
                (count,) = platform.execute("SELECT count(*) FROM courses_contentitem").fetchone()
                return count

        manage("migrate", "--verbosity=0")
        manage("load_demo")
        before = items()
        for app, last in [("tutoring", "0002"), ("learning", "0002"), ("prompts", "0002"), ("courses", "0001")]:
            manage("migrate", app, last, "--verbosity=0")
        manage("migrate", "tenants", "0003", "--verbosity=0")
        manage("migrate", "--verbosity=0")
        manage("check", "--database", "default")
        assert (before > 0, items()) == (True, before)
