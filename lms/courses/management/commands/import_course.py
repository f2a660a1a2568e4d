"""`manage.py import_course PATH --university SLUG`: a course from a folder or an export."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lms.courses.importing import writing
from lms.courses.importing.ledger import Ledger, Outcome
from lms.courses.importing.reading import read_source
from lms.courses.importing.source import SourceCourse
from lms.courses.importing.writing import ImportResult, import_course
from tenants.errors import DomainError
from tenants.models import University
from tenants.visits import within

_PLURALS = {"quiz": "quizzes"}


class Command(BaseCommand):
    help = "Import a course from a folder of Markdown or from Open edX (OLX, a folder or a .tar.gz export)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--university", required=True, help="the slug of the university that gets the course")
        parser.add_argument("--dry-run", action="store_true", help="do everything, show the ledger, and undo it")
        parser.add_argument(
            "--overwrite", action="store_true", help="let the source win over items that were edited here"
        )

    def handle(self, *args: Any, path: Path, university: str, dry_run: bool, overwrite: bool, **options: Any) -> None:
        tenant = University.objects.filter(slug=university).first()
        if tenant is None:
            raise CommandError(f"There is no university {university!r}.")
        try:
            source, ledger = read_source(path)
            with closing(source), within(tenant.pk), self._progress() as progress:
                result = import_course(
                    by=None,
                    university=tenant,
                    source=source,
                    ledger=ledger,
                    overwrite=overwrite,
                    dry_run=dry_run,
                    progress=progress,
                )
        except DomainError as error:
            raise CommandError(str(error)) from None
        self._print_ledger(ledger, with_mapped=dry_run or options["verbosity"] > 1)
        self._print_summary(result, source, dry_run=dry_run)

    @contextmanager
    def _progress(self) -> Iterator[writing.Progress]:
        columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn())
        shown = self.stderr.isatty()
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
            task = bar.add_task("import", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def _print_ledger(self, ledger: Ledger, *, with_mapped: bool) -> None:
        for outcome in Outcome:
            entries = ledger.of(outcome)
            if not entries or (outcome == Outcome.MAPPED and not with_mapped):
                continue
            self.stdout.write(self.style.MIGRATE_HEADING(f"{_words(outcome).capitalize()}:"))
            for entry in entries:
                reason = f": {entry.reason}" if entry.reason else ""
                self.stdout.write(f"  {entry.kind} {entry.source}{reason}")

    def _print_summary(self, result: ImportResult, source: SourceCourse, *, dry_run: bool) -> None:
        course, state = result.course, "a new draft" if result.is_new else "brought up to date"
        if dry_run:
            state = "not imported, this was a dry run"
        counted = ", ".join(_counted(count, kind) for kind, count in source.counts().items())
        outcomes = ", ".join(f"{len(result.ledger.of(outcome))} {_words(outcome)}" for outcome in Outcome)
        self.stdout.write(f"{course.code} “{course.title}”: {state}.")
        self.stdout.write(f"Contents: {counted or 'nothing'}.")
        self.stdout.write(
            f"Items: {result.created} created, {result.updated} updated, {result.unchanged} unchanged, "
            f"{result.kept} kept as edited here."
        )
        self.stdout.write(f"Ledger: {outcomes}.")


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind if count == 1 else _PLURALS.get(kind, f'{kind}s')}"
