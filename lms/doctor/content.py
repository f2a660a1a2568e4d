"""What is in the database: content types, prompts, trees, and replies that nobody makes any more."""

from lms.courses.actions.tree import check_trees
from lms.courses.models import ContentItem, ContentType
from lms.courses.schema_files import content_type_files
from lms.doctor.findings import Verdict, fail, ok, warn
from prompts.errors import CompositionError
from prompts.queries import compile_prompt, findings
from tenants.models import University
from tutoring.actions.recovery import lapsed_generations


def content_types() -> Verdict:
    stored = dict(ContentType.objects.values_list("slug", "schema"))
    files = {file.slug: file.schema for file in content_type_files()}
    if missing := sorted(files.keys() - stored.keys()):
        return fail(f"Missing: {', '.join(missing)}. Run manage.py load_content_types.")
    if old := sorted(slug for slug, schema in files.items() if stored[slug] != schema):
        return warn(f"Not as they ship: {', '.join(old)}. Run manage.py load_content_types.")
    return ok(f"{len(stored)} are loaded.")


def prompts() -> Verdict:
    if broken := findings():
        return fail(f"{broken[0]} ({len(broken)} in all: see manage.py prompts check)")
    return ok("Every label compiles.")


def lesson_prompts() -> Verdict:
    """The prompt that each published item names, as its university finds it."""
    universities = University.objects.in_bulk()
    asked = ContentItem.objects.filter(status=ContentItem.Status.PUBLISHED)
    named = asked.order_by("university", "prompt_name", "prompt_label").values_list(
        "university", "prompt_name", "prompt_label"
    )
    missing, count = [], 0
    for university_id, name, label in named.distinct():
        university, count = universities[university_id], count + 1
        try:
            compile_prompt(name=name, label=label, university=university)
        except CompositionError:
            missing.append(f"{name} ({label}) at {university.slug}")
    if missing:
        return fail(f"Lessons name a prompt that does not compile: {missing[0]}{_and_more(len(missing) - 1)}.")
    return ok(f"Every published item's prompt compiles; {count} are in use.")


def course_trees() -> Verdict:
    problems = check_trees()
    if problems:
        return fail(f"{len(problems)} modules stand wrongly: run manage.py check_trees --fix.")
    return ok("All are whole.")


def replies() -> Verdict:
    count = lapsed_generations().count()
    if count:
        return warn(
            f"{count} wait for a process that is gone. A running server ends them within seconds; without one, run"
            " manage.py recover_replies."
        )
    return ok("None waits for a process that is gone.")


def _and_more(count: int) -> str:
    return f", and {count} more" if count else ""
