"""Writing content items. The data is held against its type's schema on every path."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from lms.courses.access import require_author
from lms.courses.actions.tree import tree_lock
from lms.courses.actions.validation import check_fields
from lms.courses.content_rules import check_answer_key, check_data
from lms.courses.errors import InvalidContent, InvalidMove, StaleRevision
from lms.courses.models import AnswerKey, ContentItem, ContentType, Module
from tenants import audit
from tenants.errors import NotVisible
from tenants.models import User

_WRITTEN = ["title", "prompt_name", "prompt_label", "status", "source_key", "imported_hash"]


class _Unchanged:
    """Tells "leave it" from None, which takes an answer key away."""


UNCHANGED: Final = _Unchanged()


def create_item(
    *,
    by: User | None,
    module: Module,
    content_type: ContentType,
    title: str,
    data: dict[str, Any],
    objectives: Iterable[str] = (),
    position: int | None = None,
    prompt_name: str = "tutor/lesson",
    prompt_label: str = "production",
    status: str = ContentItem.Status.PUBLISHED,
    answer_key: dict[str, Any] | None = None,
    source_key: str = "",
    imported_hash: str = "",
) -> ContentItem:
    """A new item as the `position`-th of its module, zero-based; None is the last."""
    require_author(by, module.course)
    item = ContentItem(
        university_id=module.university_id,
        module=module,
        content_type=content_type,
        title=title,
        data=data,
        objectives=checked_objectives(objectives),
        prompt_name=prompt_name,
        prompt_label=prompt_label,
        status=status,
        source_key=source_key,
        imported_hash=imported_hash,
    )
    check_fields(item, _WRITTEN)
    check_data(content_type.schema, data)
    if answer_key is not None:
        check_answer_key(data, answer_key)
    with tree_lock():
        _require_module(module)
        item.sequence_index = ContentItem.objects.filter(module=module).count()
        item.save(force_insert=True)
        if position is not None:
            _place(item, position)
        if answer_key is not None:
            AnswerKey.objects.create(university_id=item.university_id, content_item=item, data=answer_key)
    return item


def update_item(
    *,
    by: User | None,
    item_id: int,
    revision: int,
    title: str | _Unchanged = UNCHANGED,
    data: dict[str, Any] | _Unchanged = UNCHANGED,
    objectives: Iterable[str] | _Unchanged = UNCHANGED,
    prompt_name: str | _Unchanged = UNCHANGED,
    prompt_label: str | _Unchanged = UNCHANGED,
    status: str | _Unchanged = UNCHANGED,
    answer_key: dict[str, Any] | _Unchanged | None = UNCHANGED,
    source_key: str | _Unchanged = UNCHANGED,
    imported_hash: str | _Unchanged = UNCHANGED,
) -> ContentItem:
    """Write what is given over the `revision` that the writer has seen.

    Raises `StaleRevision`, and writes nothing, when somebody else was faster.
    """
    item = _item_to_write(by, item_id)
    changes = _given(
        title=title,
        data=data,
        objectives=checked_objectives(objectives) if not isinstance(objectives, _Unchanged) else objectives,
        prompt_name=prompt_name,
        prompt_label=prompt_label,
        status=status,
        source_key=source_key,
        imported_hash=imported_hash,
    )
    key = _stored_key(item) if isinstance(answer_key, _Unchanged) else answer_key
    for name, value in changes.items():
        setattr(item, name, value)
    check_fields(item, [name for name in _WRITTEN if name in changes])
    check_data(item.content_type.schema, item.data)
    if key is not None:
        check_answer_key(item.data, key)
    with transaction.atomic():
        _write_over(item_id, revision, changes)
        if not isinstance(answer_key, _Unchanged):
            _write_key(item, answer_key)
    return _fetch(item_id)


def move_item(*, by: User | None, item: ContentItem, module: Module, position: int | None = None) -> ContentItem:
    """To another place of its course: the `position`-th item of `module`, zero-based; None is the last."""
    fresh = _item_to_write(by, item.pk)
    with tree_lock():
        goal = Module.objects.filter(pk=module.pk, course=fresh.module.course_id).first()
        if goal is None:
            raise InvalidMove("An item stays in its course.")
        ContentItem.objects.filter(pk=fresh.pk).update(module=goal, sequence_index=_END)
        _place(fresh, _END if position is None else position, module_id=goal.pk)
        if goal.pk != fresh.module_id:
            _renumber(list(ContentItem.objects.filter(module=fresh.module_id).order_by(*_ORDER)))
    return _fetch(fresh.pk)


def delete_item(*, by: User | None, item: ContentItem) -> None:
    fresh = _item_to_write(by, item.pk)
    with tree_lock():
        audit.record(
            by=by,
            action="item.deleted",
            subject=fresh,
            university=fresh.university,
            detail={"course": fresh.module.course_id, "title": fresh.title},
        )
        fresh.delete()
        _renumber(list(ContentItem.objects.filter(module=fresh.module_id).order_by(*_ORDER)))


def checked_objectives(objectives: Iterable[str]) -> list[str]:
    """Sentences, without blank ones."""
    listed = [objectives] if isinstance(objectives, str) else list(objectives)
    if len(listed) > 50 or not all(isinstance(text, str) and len(text) <= 500 for text in listed):
        raise InvalidContent("objectives: at most 50 sentences of at most 500 characters are allowed.")
    return [text.strip() for text in listed if text.strip()]


_ORDER = ("sequence_index", "pk")
# Beyond any place that a module's items have; renumbering brings it back into line.
_END = 2**31 - 1


def _given(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if not isinstance(value, _Unchanged)}


def _write_over(item_id: int, revision: int, changes: dict[str, Any]) -> None:
    """One conditional UPDATE: of two writers that saw the same revision, the second finds no row."""
    matched = ContentItem.objects.filter(pk=item_id, revision=revision)
    if not matched.update(**changes, revision=F("revision") + 1, updated_at=timezone.now()):
        raise StaleRevision(_fetch(item_id))


def _write_key(item: ContentItem, key: dict[str, Any] | None) -> None:
    if key is None:
        AnswerKey.objects.filter(content_item=item).delete()
        return
    AnswerKey.objects.update_or_create(
        content_item=item, defaults={"data": key}, create_defaults={"data": key, "university_id": item.university_id}
    )


def _stored_key(item: ContentItem) -> dict[str, Any] | None:
    return AnswerKey.objects.filter(content_item=item).values_list("data", flat=True).first()


def _item_to_write(by: User | None, item_id: int) -> ContentItem:
    item = _fetch(item_id)
    require_author(by, item.module.course)
    return item


def _fetch(item_id: int) -> ContentItem:
    found = ContentItem.objects.select_related("content_type", "module__course", "university").filter(pk=item_id)
    item = found.first()
    if item is None:
        raise NotVisible
    return item


def _require_module(module: Module) -> None:
    """It may have been deleted since the caller read it."""
    if not Module.objects.filter(pk=module.pk).exists():
        raise NotVisible


def _place(item: ContentItem, position: int, module_id: int | None = None) -> None:
    module = module_id or item.module_id
    others = list(ContentItem.objects.filter(module=module).exclude(pk=item.pk).order_by(*_ORDER))
    others.insert(max(position, 0), item)
    _renumber(others)


def _renumber(items: list[ContentItem]) -> None:
    """Only order changes, so the revisions stay: nobody's text is stale because an item moved."""
    for index, item in enumerate(items):
        item.sequence_index = index
    ContentItem.objects.bulk_update(items, ["sequence_index"])
