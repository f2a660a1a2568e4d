from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.courses import create_offering, publish_course
from lms.courses.importing.reading import read_source
from lms.courses.importing.writing import import_course
from lms.courses.models import Course, CourseOffering, Subject
from lms.demo.cast import make_people, make_universities
from lms.learning.actions.enrolment import enroll
from prompts.actions.library import load_library
from tenants.models import University

COURSE = Path(__file__).resolve().parent.parent.parent / "demo" / "course"
TERM = "Open term"


class Command(BaseCommand):
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
            offering = self._make_course(universities[slug])
            enroll(by=student, offering_id=offering.pk)

    def _make_course(self, university: University) -> CourseOffering:
        """The demo course as it was imported first; what has been written in it since is kept."""
        offering = CourseOffering.objects.filter(university=university, term=TERM).first()
        if offering is not None:
            return offering
        source, ledger = read_source(COURSE)
        import_course(by=None, university=university, source=source, ledger=ledger)
        course = Course.objects.get(university=university, source_key=source.key)
        publish_course(by=None, course=course)
        return create_offering(by=None, course=course, term=TERM)
