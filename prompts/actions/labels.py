"""Moving labels. Each move is kept in the history and in the audit log."""

from django.utils import timezone

from prompts.access import require_mover
from prompts.actions.graph import changing
from prompts.models import Prompt, PromptLabel, PromptLabelMove, PromptVersion
from prompts.rules import checked_label
from tenants import audit
from tenants.errors import NotVisible
from tenants.models import User


def move_label(*, by: User, prompt: Prompt, label: str, number: int) -> PromptLabel:
    """Put the label on the version of that number, from wherever it stood; `WouldBreak` when anyone would suffer."""
    require_mover(by, prompt.university, checked_label(label))
    with changing(prompt.university):
        version = prompt.versions.filter(number=number).first()
        if version is None:
            raise NotVisible(f"“{prompt.name}” has no version {number}.")
        return put_label(prompt, label, version, by=by)


def delete_label(*, by: User, prompt: Prompt, label: str) -> None:
    """Take the label away. Where the platform has a prompt of the same name and label, that one is found again."""
    require_mover(by, prompt.university, checked_label(label))
    with changing(prompt.university):
        standing = prompt.labels.select_related("version").filter(name=label).first()
        if standing is None:
            raise NotVisible(f"“{prompt.name}” has no label “{label}”.")
        standing.delete()
        _remember(prompt, label, standing.version, None, by=by)


def put_label(
    prompt: Prompt, label: str, version: PromptVersion, *, by: User | None, by_library: bool = False
) -> PromptLabel:
    """Within `changing` and for somebody who may. A label that stands there already is no move."""
    standing = prompt.labels.select_related("version").filter(name=label).first()
    if standing and standing.version_id == version.pk:
        return standing
    before = standing.version if standing else None
    moved, _created = PromptLabel.objects.update_or_create(
        prompt=prompt,
        name=label,
        defaults={"university": prompt.university, "version": version, "moved_by": by, "moved_at": timezone.now()},
    )
    _remember(prompt, label, before, version, by=by, by_library=by_library)
    return moved


def _remember(
    prompt: Prompt,
    label: str,
    before: PromptVersion | None,
    after: PromptVersion | None,
    *,
    by: User | None,
    by_library: bool = False,
) -> None:
    PromptLabelMove.objects.create(
        university=prompt.university,
        prompt=prompt,
        label=label,
        from_version=before,
        to_version=after,
        by_library=by_library,
        moved_by=by,
    )
    audit.record(
        by=by,
        action="prompt.label_moved",
        subject=prompt,
        university=prompt.university,
        detail={
            "name": prompt.name,
            "label": label,
            "from": before.number if before else None,
            "to": after.number if after else None,
        },
    )
