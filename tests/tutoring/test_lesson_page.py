import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lms.courses.models import Module
from lms.learning.models import Enrollment
from tests import factories
from tests.tutoring.scenes import ask, ask_anew, end, sams_session
from tutoring.models import Budget

# Session, person, lesson with rights and progress, conversation, outline; and, where a model answers, the allowance.
QUERIES, QUERIES_WITH_A_MODEL = 5, 6


@pytest.fixture
def address(world):
    return f"/north/learn/{world.offering.pk}/{world.item.pk}/"


@pytest.fixture
def page_for(client, address):
    def get(user, path=address):
        client.force_login(user)
        return client.get(path)

    return get


def add_modules(world, count):
    """Straight into the table, and the tree's numbers afterwards."""
    course = {"university": world.north, "course": world.course, "parent": world.root}
    numbers = {"lft": 0, "rght": 0, "tree_id": world.root.tree_id, "level": 1}
    modules = Module.objects.bulk_create(
        Module(title=f"Unit {n}", sequence_index=n + 1, **course, **numbers) for n in range(count)
    )
    Module.objects.rebuild()
    for module in modules:
        factories.make_text(module, f"Reading {module.sequence_index}", "Words.")


def test_a_student_reads_and_finds_the_tutor(world, page_for):
    answer = page_for(world.sam)
    assert answer.status_code == 200
    assert (answer.context["item"]["title"], answer.context["tutor"].messages) == (world.item.title, [])
    assert [suggestion["text"] for suggestion in answer.context["tutor"].suggestions] == [
        "Help me to explain why samples vary.",
        "What is the main idea of this lesson?",
        "Ask me a question that shows whether I have understood.",
    ]
    assert "practice tutor" in answer.text
    assert Enrollment.objects.get(pk=world.enrollment.pk).last_item_id == world.item.pk


@pytest.mark.parametrize("more", [0, 297])
def test_it_costs_the_same_for_a_small_and_a_large_course(world, page_for, client, address, more):
    add_modules(world, more)
    sent = ask(world, sams_session(world))
    assert end(sent)
    page_for(world.sam)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert "A reply." in client.get(address).text
    assert len(queries) == QUERIES, [query["sql"][:80] for query in queries]


@pytest.mark.parametrize("used", [10, 400_000])
def test_the_allowance_is_one_query_more(world, page_for, client, address, settings, used):
    settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "key"
    end(ask(world, sams_session(world)))
    Budget.objects.filter(scope="user").update(used_tokens=used)
    page_for(world.sam)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address)
    assert len(queries) == QUERIES_WITH_A_MODEL, [query["sql"][:80] for query in queries]
    assert ("80 % of today's allowance used" in html.unescape(page.text)) is (used == 400_000)


def test_a_site_without_a_model_has_no_allowance(world, page_for):
    today = timezone.now().date()
    Budget.objects.create(
        university=world.north, scope="user", subject_id=world.sam.pk, period_start=today, used_tokens=10**9
    )
    assert page_for(world.sam).context["tutor"].allowance is None


def test_another_branch_is_shown_beside_the_lesson_too(world, page_for, address):
    session = sams_session(world)
    first = ask(world, session)
    end(first, "One.")
    end(ask_anew(world, session, first.reply), "Another one.")
    page = page_for(world.sam, f"{address}?branch={first.reply}")
    assert [message["id"] for message in page.context["tutor"].messages] == [first.message, first.reply]
    assert f'href="{address}?branch=' in page.text


def test_what_a_person_may_not_see_looks_absent(world, page_for):
    absent = page_for(world.sam, f"/north/learn/{world.offering.pk}/999999/")
    assert absent.status_code == 404
    bystander = factories.make_user("bo@north.example", "Bo", at=world.north)
    for person in (world.oona, bystander):
        answer = page_for(person)
        there_is_none = page_for(person, f"/north/learn/{world.offering.pk}/999999/")
        assert (answer.status_code, answer.content) == (404, there_is_none.content)
    foreign = page_for(world.sam, f"/south/learn/{world.south_offering.pk}/{world.south_item.pk}/")
    assert (foreign.status_code, foreign.content) == (404, absent.content)


def test_visitors_are_sent_to_the_sign_in_and_back(client, world, address):
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={address}")


def test_a_page_is_read_not_posted_to(world, client, address):
    client.force_login(world.sam)
    assert client.post(address).status_code == 405


def test_a_conversation_about_an_older_text_says_so(world, page_for):
    ask(world, sams_session(world))
    assert page_for(world.sam).context["tutor"].is_stale is False
    world.item.revision += 1
    world.item.save()
    answer = page_for(world.sam)
    assert answer.context["tutor"].is_stale is True
    assert "The lesson has changed since this conversation began." in answer.text


def test_a_running_reply_is_shown_as_far_as_it_is_saved(world, page_for):
    sent = ask(world, sams_session(world))
    panel = page_for(world.sam).context["tutor"]
    assert (panel.running, panel.messages[1]["state"]) == (str(sent.generation), "pending")


def test_nobody_sees_another_students_conversation(world, page_for):
    sent = ask(world, sams_session(world), "A private canary question")
    other = factories.make_user("bo@north.example", "Bo", at=world.north)
    factories.make_enrollment(other, world.offering)
    for person in (other, world.tess, world.ada, world.platform):
        answer = page_for(person)
        assert (answer.status_code, "canary" in answer.text) == (200, False)
        whole_page = page_for(person, f"/north/tutor/{sent.session}/")
        assert (whole_page.status_code, "canary" in whole_page.text) == (404, False)
        assert "canary" not in page_for(person, "/north/tutor/").text


def test_a_lesson_whose_module_is_closed_says_so(world, page_for):
    world.lesson.available_from = timezone.now() + timezone.timedelta(days=1)
    world.lesson.save()
    assert page_for(world.sam).status_code == 403
