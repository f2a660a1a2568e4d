"""The content items of a course, in bulk: made, brought up to date, kept where people have worked on them."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone

from lms.courses.content_rules import check_answer_key, check_data
from lms.courses.importing.errors import ImportRefused
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.source import SourceCourse, SourceItem
from lms.courses.importing.writing_tree import WrittenTree
from lms.courses.models import AnswerKey, ContentItem, ContentType

_WRITTEN = ["content_type", "title", "data", "objectives", "prompt_name", "prompt_label", "imported_hash"]
_BULK_ROWS = 500


@dataclass(frozen=True)
class Content:
    """What an import writes into an item, and what tells that somebody has edited it since."""

    content_type: str
    title: str
    data: dict[str, Any]
    objectives: list[str]
    prompt_name: str
    prompt_label: str
    answers: dict[str, Any] | None

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass
class WrittenItems:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    moved: int = 0

    @property
    def changes(self) -> int:
        return self.created + self.updated + self.moved


def write_items(
    *, source: SourceCourse, modules: WrittenTree, ledger: Ledger, overwrite: bool, count: Callable[[], None]
) -> WrittenItems:
    writer = _ItemWriter(modules, ledger, overwrite)
    for module, item in source.items():
        writer.take(module.key, item)
        count()
    writer.name_vanished()
    writer.place()
    writer.save()
    return writer.written


@dataclass
class _ItemWriter:
    modules: WrittenTree
    ledger: Ledger
    overwrite: bool
    written: WrittenItems = field(default_factory=WrittenItems)

    def __post_init__(self) -> None:
        course_id = next(iter(self.modules.rows.values())).course_id
        rows = ContentItem.objects.filter(module__course=course_id).select_related("content_type", "answer_key")
        # Locked, so that an edit that comes in meanwhile is either seen here or waits for the import.
        self.rows = list(rows.select_for_update(of=("self",)).order_by("module", "sequence_index", "pk"))
        self.by_key = {row.source_key: row for row in self.rows if row.source_key}
        self.types = {type_.slug: type_ for type_ in ContentType.objects.all()}
        self.wanted: dict[int, list[ContentItem]] = defaultdict(list)
        self.new: list[ContentItem] = []
        self.changed: list[ContentItem] = []
        self.answers: list[tuple[ContentItem, dict[str, Any] | None]] = []
        self.seen: set[str] = set()

    def take(self, module_key: str, item: SourceItem) -> None:
        """Decide what becomes of one item of the source."""
        self.seen.add(item.key)
        content = _content_of(item)
        row = self.by_key.get(item.key)
        if row is None:
            module = self.modules.rows[module_key]
            row = ContentItem(university_id=module.university_id, module=module, source_key=item.key)
            self._fill(row, item, content)
            self.new.append(row)
            self.written.created += 1
        else:
            self._bring_up_to_date(row, item, content)
        self.wanted[self.modules.rows[module_key].pk].append(row)

    def _bring_up_to_date(self, row: ContentItem, item: SourceItem, content: Content) -> None:
        wanted, stored = content.fingerprint(), _content_in(row).fingerprint()
        if wanted in (row.imported_hash, stored):
            self.written.unchanged += 1
            if row.imported_hash != wanted:
                row.imported_hash = wanted
                self.changed.append(row)
            return
        if stored != row.imported_hash and not self.overwrite:
            self.written.kept += 1
            self.ledger.keep(item.origin, item.kind, "edited here since the last import, and changed in the source too")
            return
        self._fill(row, item, content)
        row.revision += 1
        self.changed.append(row)
        self.written.updated += 1
        if row.status == ContentItem.Status.DRAFT and not item.is_draft:
            self.ledger.lose(item.origin, item.kind, "still a draft here; publish it when students should see it")

    def _fill(self, row: ContentItem, item: SourceItem, content: Content) -> None:
        type_ = self.types.get(content.content_type)
        if type_ is None:
            problem = f"there is no content type {content.content_type!r}: run manage.py load_content_types first."
            raise ImportRefused(problem, file=item.origin)
        check_data(type_.schema, content.data)
        if content.answers is not None:
            check_answer_key(content.data, content.answers)
        if content.answers != _answers_in(row):
            self.answers.append((row, content.answers))
        row.content_type = type_
        row.title, row.data, row.objectives = content.title, content.data, content.objectives
        row.prompt_name, row.prompt_label = content.prompt_name, content.prompt_label
        row.imported_hash = content.fingerprint()
        if item.is_draft:
            row.status = ContentItem.Status.DRAFT

    def name_vanished(self) -> None:
        for key, row in self.by_key.items():
            if key not in self.seen:
                kind = f"{row.content_type.slug} item"
                self.ledger.keep(key, kind, "the source no longer has it; delete it here if it should go")

    def place(self) -> None:
        """Give each item its module and place. What the source does not have stays behind what it stood behind."""
        placed = {id(row) for rows in self.wanted.values() for row in rows}
        standing: dict[int, list[ContentItem]] = defaultdict(list)
        for row in self.rows:
            standing[row.module_id].append(row)
        for module_id in standing.keys() | self.wanted.keys():
            wanted = self.wanted[module_id]
            for index, row in enumerate(_merged(standing[module_id], wanted, placed)):
                if (row.module_id, row.sequence_index) != (module_id, index):
                    row.module_id, row.sequence_index = module_id, index
                    self.written.moved += row.pk is not None
                    self.changed += [row] if row.pk is not None else []

    def save(self) -> None:
        ContentItem.objects.bulk_create(self.new, batch_size=_BULK_ROWS)
        if self.changed:
            changed: list[ContentItem] = list({row.pk: row for row in self.changed}.values())
            for row in changed:
                row.updated_at = timezone.now()
            fields = [*_WRITTEN, "module", "sequence_index", "status", "revision", "updated_at"]
            ContentItem.objects.bulk_update(changed, fields, batch_size=_BULK_ROWS)
        for row, answers in self.answers:
            _write_answers(row, answers)


def _merged(standing: list[ContentItem], wanted: list[ContentItem], placed: set[int]) -> list[ContentItem]:
    """The wanted rows in their order, each followed by the rows of no source that stood behind it."""
    leaders = {id(row) for row in wanted}
    followers: dict[int | None, list[ContentItem]] = defaultdict(list)
    leader: int | None = None
    for row in standing:
        if id(row) in leaders:
            leader = id(row)
        elif id(row) not in placed:
            followers[leader].append(row)
    return [*followers[None], *(one for row in wanted for one in [row, *followers[id(row)]])]


def _content_of(item: SourceItem) -> Content:
    unsaid = ContentItem()
    return Content(
        content_type=item.content_type,
        title=item.title,
        data=item.data,
        objectives=item.objectives,
        prompt_name=item.prompt_name or unsaid.prompt_name,
        prompt_label=item.prompt_label or unsaid.prompt_label,
        answers=item.answers,
    )


def _content_in(row: ContentItem) -> Content:
    return Content(
        content_type=row.content_type.slug,
        title=row.title,
        data=row.data,
        objectives=row.objectives,
        prompt_name=row.prompt_name,
        prompt_label=row.prompt_label,
        answers=_answers_in(row),
    )


def _answers_in(row: ContentItem) -> dict[str, Any] | None:
    key: AnswerKey | None = getattr(row, "answer_key", None) if row.pk else None
    return key.data if key else None


def _write_answers(row: ContentItem, answers: dict[str, Any] | None) -> None:
    if answers is None:
        AnswerKey.objects.filter(content_item=row).delete()
        return
    AnswerKey.objects.update_or_create(
        content_item=row,
        defaults={"data": answers},
        create_defaults={"data": answers, "university_id": row.university_id},
    )
