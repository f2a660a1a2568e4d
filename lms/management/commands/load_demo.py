from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.courses import create_offering, publish_course
from lms.courses.importing.reading import read_source
from lms.courses.importing.writing import import_course
from lms.courses.models import Course, Subject
from lms.demo.cast import make_people, make_universities
from lms.learning.actions.enrolment import enroll
from prompts.actions.library import load_library
from tenants.commands import PlatformCommand
from tenants.models import University, User

COURSE = Path(__file__).resolve().parent.parent.parent / "demo" / "course"
TERM = "Open term"


class Command(PlatformCommand):
    help = "Two universities with their people and a course, for trying the site. Keeps what is already there."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_HTTPS:
            raise CommandError(
                "This makes people with a known password: it does not run on a site with an https address."
            )
        load_content_types()
        load_library()
        Subject.objects.get_or_create(slug="statistics", defaults={"name": "Statistics"})
        universities = make_universities()
        people = make_people(universities)
        students = {"north": people["sam@north.example"], "south": people["oona@south.example"]}
        for slug, student in students.items():
            self._make_course(universities[slug], student)

    def _make_course(self, university: University, student: User) -> None:
        """Once: what has become of the course, its term and its student since is their own affair."""
        source, ledger = read_source(COURSE)
        if Course.objects.filter(university=university, source_key=source.key).exists():
            return
        course = import_course(by=None, university=university, source=source, ledger=ledger).course
        publish_course(by=None, course=course)
        enroll(by=student, offering_id=create_offering(by=None, course=course, term=TERM).pk)
