from django.db import migrations

from tenants.walls import BuildWalls

# Settings that were never told, or belonged to a transaction that is over, are the same as none. The bodies are read when
# the functions are made, and not with each statement that is planned.
_SCHEMA = """
CREATE SCHEMA app;
CREATE FUNCTION app.current_university() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.university', true), '')::bigint;
CREATE FUNCTION app.current_person() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.person', true), '')::bigint;
"""
# Django's log of the admin knows no university, but names rows by their titles. The database fills the column in by
# itself; entries from before are the platform's alone.
_LOG = "ALTER TABLE django_admin_log ADD COLUMN university_id bigint DEFAULT app.current_university()"


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_rate_windows"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(_SCHEMA, "DROP SCHEMA app CASCADE"),
        BuildWalls(
            {"University": "directory", "Department": "tenant", "Membership": "tenant_or_own", "AuditEntry": "record"}
        ),
        migrations.RunSQL(_LOG, "ALTER TABLE django_admin_log DROP COLUMN university_id"),
        BuildWalls({"LogEntry": "record"}, of="admin"),
    ]
