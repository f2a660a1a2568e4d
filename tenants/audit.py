"""The audit log's one writer."""

from typing import Any

from django.db import models

from tenants.models import AuditEntry, University, User


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
    AuditEntry.objects.create(
        university=university,
        actor=by,
        action=action,
        subject_type=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        detail=detail or {},
    )
