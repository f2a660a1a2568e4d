"""The audit log's one writer."""

import json
from typing import Any

from django.db import connection, models
from django.utils import timezone

from tenants.models import AuditEntry, University, User

# Not through the ORM, which reads the new id back: the application's role may add entries that it may not read.
_INSERT = """
INSERT INTO tenants_auditentry (university_id, actor_id, action, subject_type, subject_id, detail, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def record(
    *,
    by: User | None,
    action: str,
    subject: models.Model | None = None,
    university: University | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one entry in the caller's transaction, so that an undone act leaves none.

    `action` is a dotted name such as `prompt.label_moved`; `by` is None for what the system did itself.
    """
    entry = AuditEntry(
        university=university,
        actor=by,
        action=action,
        subject_type=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        detail=detail or {},
        created_at=timezone.now(),
    )
    values = [getattr(entry, name) for name in ("university_id", "actor_id", "action", "subject_type", "subject_id")]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*values, json.dumps(entry.detail), entry.created_at])
