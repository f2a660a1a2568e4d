"""Content items: the type first, a form drawn from its schema, a preview of what is not saved, an optimistic lock."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from lms.courses.actions import items
from lms.courses.actions.content_types import load_content_types
from lms.courses.models import AnswerKey, ContentItem, ContentType
from tests.courses.browser_forms import Fields, fields_of
from tests.world import World

ITEMS = "/admin/courses/contentitem/"
# Beyond what the schemas demand, nothing: what is sent for each type, and what is then stored.
EXAMPLES: dict[str, tuple[Fields, dict[str, Any]]] = {
    "text": (
        {"data-body": "# Hello\r\n\r\nWords.", "data-format": "markdown"},
        {"format": "markdown", "body": "# Hello\n\nWords."},
    ),
    "video": (
        {
            "data-provider": "file",
            "data-file": "films/one.webm",
            "data-captions-0-language": "en",
            "data-captions-0-label": "English",
            "data-captions-0-file": "films/one.vtt",
        },
        {
            "provider": "file",
            "file": "films/one.webm",
            "captions": [{"language": "en", "label": "English", "file": "films/one.vtt"}],
            "transcript": "",
            "description": "",
        },
    ),
    "quiz": (
        {
            "data-questions-0-prompt": "Which?",
            "data-questions-0-options-0-text": "This",
            "data-questions-0-options-1-text": "That",
            "data-questions-0-options-1-is_right": "on",
            "data-questions-0-explanation": "Because.",
        },
        {
            "introduction": "",
            "questions": [
                {
                    "id": "q1",
                    "kind": "single",
                    "prompt": "Which?",
                    "options": [{"id": "o1", "text": "This"}, {"id": "o2", "text": "That"}],
                    "points": 1,
                }
            ],
        },
    ),
    "engineering_lab": (
        {
            "data-introduction": "Build.",
            "data-steps-0-title": "Draw",
            "data-steps-0-body": "Draw it.",
            "data-starter_code": "if x:\r\n    y()",
        },
        {
            "introduction": "Build.",
            "steps": [{"title": "Draw", "body": "Draw it."}],
            "language": "python",
            "starter_code": "if x:\n    y()",
        },
    ),
    "assignment": (
        {"data-instructions": "Write.", "data-submission": "file", "data-points": "5"},
        {"instructions": "Write.", "submission": "file", "points": 5},
    ),
    "resource": (
        {"data-description": "A book.", "data-url": "https://books.example/one"},
        {"description": "A book.", "url": "https://books.example/one"},
    ),
}


@pytest.fixture
def tess(client: Client, world: World) -> Client:
    load_content_types()
    client.force_login(world.tess)
    return client


@pytest.fixture
def quiz(tess: Client, world: World) -> ContentItem:
    return items.create_item(
        by=None,
        module=world.lesson,
        content_type=ContentType.objects.get(slug="quiz"),
        title="Check yourself",
        data=EXAMPLES["quiz"][1],
        answer_key={"q1": {"correct": ["o2"], "explanation": "Because."}},
    )


def change_url(item: ContentItem) -> str:
    return f"{ITEMS}{item.pk}/change/"


def add_url(world: World, slug: str) -> str:
    return f"{ITEMS}add/?module={world.lesson.pk}&type={slug}"


def opened(client: Client, url: str) -> Fields:
    return fields_of(client.get(url).text, "contentitem_form")


def row(item: ContentItem) -> dict[str, Any]:
    return ContentItem.objects.filter(pk=item.pk).values().get()


def sentences(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text_of(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


class TestList:
    def test_names_own_items_in_the_order_of_their_course(self, tess: Client, world: World) -> None:
        page = tess.get(ITEMS)
        assert list(page.context["cl"].result_list) == [world.item, world.second_item]
        assert "Mitochondria" not in page.text

    def test_one_module_alone(self, tess: Client, world: World) -> None:
        page = tess.get(f"{ITEMS}?module__id__exact={world.root.pk}")
        assert (page.status_code, list(page.context["cl"].result_list)) == (200, [])

    @pytest.mark.parametrize("query", ["q=Mitochondria", "module__course__id__exact={course}", "status__exact=draft"])
    def test_no_query_reaches_foreign_items(self, tess: Client, world: World, query: str) -> None:
        page = tess.get(f"{ITEMS}?{query.format(course=world.south_course.pk)}")
        found = set(page.context["cl"].result_list) - {world.item, world.second_item}
        assert (page.status_code, found) == (200, set())
        assert ("Mitochondria</a>" in page.text, "Cells of the south" in page.text) == (False, False)

    @pytest.mark.parametrize("query", ["answer_key__data__q1__correct=o2", "university__memberships__user__email=x"])
    def test_other_tables_are_not_asked(self, tess: Client, query: str) -> None:
        assert tess.get(f"{ITEMS}?{query}").status_code == 400

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_list_costs_the_same_for_any_number(
        self, tess: Client, world: World, count: int, django_assert_num_queries: Any
    ) -> None:
        text = ContentType.objects.get(slug="text")
        for number in range(count):
            data = EXAMPLES["text"][1]
            items.create_item(by=None, module=world.lesson, content_type=text, title=str(number), data=data)
        tess.get(ITEMS)
        # Session, person, roles, two filters, and the list with its two counts.
        with django_assert_num_queries(8):
            tess.get(ITEMS)


class TestChoosingTheType:
    def test_every_type_is_offered_with_what_it_is(self, tess: Client, world: World) -> None:
        page = tess.get(f"{ITEMS}add/?module={world.lesson.pk}")
        offered = re.findall(r'href="\?module=(\d+)&amp;type=(\w+)"', page.text)
        assert offered == [
            (str(world.lesson.pk), slug)
            for slug in ("assignment", "engineering_lab", "quiz", "resource", "text", "video")
        ]
        assert "Questions that the server marks." in page.text

    def test_an_unknown_type_is_asked_for_again(self, tess: Client, world: World) -> None:
        page = tess.get(add_url(world, "podcast"))
        assert page.templates[0].name == "admin/courses/contentitem/choose_type.html"

    @pytest.mark.parametrize("query", ["", "?module={south}&type=text", "?module=999999&type=text", "?module=x"])
    def test_needs_a_module_of_ones_own(self, tess: Client, world: World, query: str) -> None:
        url = f"{ITEMS}add/{query.format(south=world.south_item.module.pk)}"
        count = ContentItem.objects.count()
        for page in (tess.get(url, follow=True), tess.post(url, {"title": "x", "data-body": "y"}, follow=True)):
            assert sentences(page) == ["Content is added in the tree of a course. Choose the course first."]
            assert "Cells of the south" not in page.text
        assert ContentItem.objects.count() == count


class TestAdding:
    @pytest.mark.parametrize("slug", sorted(EXAMPLES))
    def test_each_type_is_made_with_its_form_and_comes_back(self, tess: Client, world: World, slug: str) -> None:
        sent, stored = EXAMPLES[slug]
        blank = opened(tess, add_url(world, slug))
        body = blank | {"title": "New", "objectives": "Know it\r\nUse it", "status": "draft"} | sent
        answer = tess.post(add_url(world, slug), body)
        assert answer["location"] == f"/admin/courses/module/?course={world.course.pk}"
        item = ContentItem.objects.get(title="New")
        assert (item.content_type.slug, item.data, item.objectives) == (slug, stored, ["Know it", "Use it"])
        assert (item.module, item.university, item.sequence_index) == (world.lesson, world.north, 2)
        assert (item.status, item.prompt_name, item.prompt_label) == ("draft", "tutor/lesson", "production")
        before = row(item)
        assert tess.post(change_url(item), opened(tess, change_url(item))).status_code == 302
        after = row(item)
        assert after | {"updated_at": 0, "revision": 1} == before | {"updated_at": 0}

    def test_a_quiz_keeps_its_answers_apart(self, tess: Client, world: World) -> None:
        body = opened(tess, add_url(world, "quiz")) | {"title": "New"} | EXAMPLES["quiz"][0]
        tess.post(add_url(world, "quiz"), body)
        key = AnswerKey.objects.get(content_item__title="New")
        assert key.data == {"q1": {"correct": ["o2"], "explanation": "Because."}}
        assert (key.university, "correct" in str(key.content_item.data)) == (world.north, False)

    def test_a_place_among_the_others_may_be_given(self, tess: Client, world: World) -> None:
        body = opened(tess, add_url(world, "text")) | {"title": "First", "place": "1", "data-body": "x"}
        tess.post(add_url(world, "text"), body)
        titles = ContentItem.objects.filter(module=world.lesson).values_list("title", flat=True)
        assert list(titles) == ["First", "Reading: why samples vary", "Reading: how much"]

    def test_problems_stand_at_their_fields_and_nothing_is_made(self, tess: Client, world: World) -> None:
        body = opened(tess, add_url(world, "assignment")) | {"title": "", "data-points": "10001"}
        page = tess.post(add_url(world, "assignment"), body)
        form = page.context["adminform"].form
        assert form.errors == {
            "title": ["This field is required."],
            "__all__": ["Something in the content needs another look; the places are marked below."],
        }
        assert [tuple(problem) for problem in form.content.problems()] == [
            ("Points", "Ensure this value is less than or equal to 10000.")
        ]
        assert "Ensure this value is less than or equal to 10000." in page.text
        assert ContentItem.objects.filter(module=world.lesson).count() == 2

    def test_a_foreign_module_is_no_choice(self, tess: Client, world: World) -> None:
        foreign = world.south_item.module.pk
        body = opened(tess, add_url(world, "text")) | {"title": "x", "data-body": "y", "module": str(foreign)}
        page = tess.post(add_url(world, "text"), body)
        assert page.context["adminform"].form.errors["module"] == [
            "Select a valid choice. That choice is not one of the available choices."
        ]
        assert ContentItem.objects.filter(module=foreign).count() == 1


class TestChanging:
    def test_what_is_written_is_saved_as_a_new_revision(self, tess: Client, world: World) -> None:
        body = opened(tess, change_url(world.item)) | {"title": "New title", "data-body": "New words."}
        assert tess.post(change_url(world.item), body)["location"] == f"/admin/courses/module/?course={world.course.pk}"
        item = ContentItem.objects.get(pk=world.item.pk)
        assert (item.title, item.data, item.revision) == (
            "New title",
            {"format": "markdown", "body": "New words."},
            2,
        )
        entry = LogEntry.objects.get()
        assert entry.get_change_message() == "Changed Title and content."

    def test_an_item_moves_within_its_course(self, tess: Client, world: World) -> None:
        body = opened(tess, change_url(world.item))
        tess.post(change_url(world.item), body | {"place": "2"})
        titles = ContentItem.objects.filter(module=world.lesson).values_list("title", flat=True)
        assert list(titles) == ["Reading: how much", "Reading: why samples vary"]
        body = opened(tess, change_url(world.item))
        tess.post(change_url(world.item), body | {"module": str(world.root.pk), "place": ""})
        item = ContentItem.objects.get(pk=world.item.pk)
        assert (item.module, item.sequence_index, item.revision) == (world.root, 0, 3)

    def test_answers_are_changed_and_taken_away_with_their_questions(self, tess: Client, quiz: ContentItem) -> None:
        body = opened(tess, change_url(quiz))
        assert body["data-questions-0-options-1-is_right"] == "on"
        del body["data-questions-0-options-1-is_right"]
        tess.post(change_url(quiz), body | {"data-questions-0-options-0-is_right": "on"})
        assert AnswerKey.objects.get(content_item=quiz).data == {"q1": {"correct": ["o1"], "explanation": "Because."}}
        body = opened(tess, change_url(quiz))
        del body["data-questions-0-options-0-is_right"]
        tess.post(change_url(quiz), body | {"data-questions-0-explanation": ""})
        assert not AnswerKey.objects.filter(content_item=quiz).exists()

    def test_a_stored_text_with_markup_is_shown_as_text(self, tess: Client, world: World) -> None:
        ContentItem.objects.filter(pk=world.item.pk).update(
            title='</title><script>alert("1")</script>',
            data={"format": "markdown", "body": "</textarea><script>alert(2)</script>"},
        )
        page = tess.get(change_url(world.item)).text
        assert re.findall(r"<script>.*?</script>", page) == []
        body = fields_of(page, "contentitem_form")
        assert (body["title"], body["data-body"]) == (
            '</title><script>alert("1")</script>',
            "</textarea><script>alert(2)</script>",
        )

    def test_foreign_and_absent_items_are_the_same(self, tess: Client, world: World) -> None:
        before = row(world.south_item)
        for page in ("change/", "delete/", "history/", "preview/"):
            foreign, absent = (
                tess.post(f"{ITEMS}{pk}/{page}", {"title": "x", "post": "yes", "revision": "1"})
                for pk in (world.south_item.pk, 999_999)
            )
            assert (foreign.status_code, absent.status_code) == (404, 404)
            assert re.sub(r'value="\w{64}"', "", foreign.text) == re.sub(r'value="\w{64}"', "", absent.text)
        assert row(world.south_item) == before

    def test_an_item_is_deleted_through_its_action(self, tess: Client, world: World) -> None:
        page = tess.get(f"{ITEMS}{world.item.pk}/delete/")
        assert page.context["deleted_objects"] == ["Content item: Reading: why samples vary"]
        tess.post(f"{ITEMS}{world.item.pk}/delete/", {"post": "yes"})
        left = ContentItem.objects.filter(module=world.lesson).values_list("title", "sequence_index")
        assert list(left) == [("Reading: how much", 0)]


class TestStaleForms:
    """Somebody else has saved since the form was opened: 409, both texts, and nothing overwritten."""

    def theirs(self, world: World) -> dict[str, Any]:
        data = {"format": "markdown", "body": "Their words.\n\nThe same end."}
        items.update_item(by=None, item_id=world.item.pk, revision=1, title="Their title", data=data)
        return row(world.item)

    def mine(self, client: Client, world: World) -> Fields:
        body = {"data-body": "My words.\r\n\r\nThe same end.", "objectives": "Mine"}
        return opened(client, change_url(world.item)) | body

    def test_both_texts_stand_side_by_side(self, tess: Client, world: World) -> None:
        mine = self.mine(tess, world)
        saved = self.theirs(world)
        page = tess.post(change_url(world.item), mine)
        assert (page.status_code, row(world.item)) == (409, saved)
        assert [
            (
                part.label,
                [("".join(s.text for s in r.left or ()), "".join(s.text for s in r.right or ())) for r in part.rows],
            )
            for part in page.context["conflict"]
        ] == [
            ("Title", [("Their title", "Reading: why samples vary")]),
            ("Objectives", [("Explain why samples vary", "Mine")]),
            (
                "Content",
                [
                    ("Written in: markdown", "Written in: markdown"),
                    ("Text:", "Text:"),
                    ("  Their words.", "  My words."),
                    ("  ", "  "),
                    ("  The same end.", "  The same end."),
                ],
            ),
        ]
        assert "<mark>Their</mark> words." in page.text
        assert "Somebody else has saved this in the meantime" in page.text

    def test_my_words_stay_in_the_form_and_may_be_saved_knowingly(self, tess: Client, world: World) -> None:
        mine = self.mine(tess, world)
        self.theirs(world)
        again = fields_of(tess.post(change_url(world.item), mine).text, "contentitem_form")
        assert again | {"csrfmiddlewaretoken": ""} == mine | {"revision": "2", "csrfmiddlewaretoken": ""}
        assert tess.post(change_url(world.item), again).status_code == 302
        item = ContentItem.objects.get(pk=world.item.pk)
        assert (item.revision, item.title, item.objectives) == (3, "Reading: why samples vary", ["Mine"])
        assert item.data == {"format": "markdown", "body": "My words.\n\nThe same end."}

    def test_a_third_writer_is_told_again(self, tess: Client, world: World) -> None:
        mine = self.mine(tess, world)
        self.theirs(world)
        again = fields_of(tess.post(change_url(world.item), mine).text, "contentitem_form")
        items.update_item(by=None, item_id=world.item.pk, revision=2, title="A third title")
        page = tess.post(change_url(world.item), again)
        (title,) = page.context["conflict"][0].rows
        assert (page.status_code, "".join(span.text for span in title.left)) == (409, "A third title")
        assert ContentItem.objects.get(pk=world.item.pk).title == "A third title"

    def test_answers_are_compared_too(self, tess: Client, quiz: ContentItem) -> None:
        mine = opened(tess, change_url(quiz))
        items.update_item(by=None, item_id=quiz.pk, revision=1, answer_key={"q1": {"correct": ["o1"]}})
        page = tess.post(change_url(quiz), mine)
        assert (page.status_code, [part.label for part in page.context["conflict"]]) == (409, ["Answers"])
        assert AnswerKey.objects.get(content_item=quiz).data == {"q1": {"correct": ["o1"]}}

    @pytest.mark.parametrize("revision", ["", "abc", "0", "99"])
    def test_a_revision_that_nobody_has_seen_saves_nothing(self, tess: Client, world: World, revision: str) -> None:
        before = row(world.item)
        page = tess.post(change_url(world.item), self.mine(tess, world) | {"revision": revision})
        assert (page.status_code in (200, 409), row(world.item)) == (True, before)


class TestPreview:
    def preview(self, client: Client, url: str, body: Fields) -> Any:
        return client.post(url, body)

    def test_shows_the_form_as_students_would_see_it(self, tess: Client, world: World) -> None:
        url = f"{ITEMS}{world.item.pk}/preview/"
        before = row(world.item)
        body = opened(tess, change_url(world.item)) | {
            "title": "Unsaved <title>",
            "objectives": "Know more",
            "data-body": "# Unsaved\n\n![curve](images/curve.png) *words*",
        }
        page = self.preview(tess, url, body)
        assert page.status_code == 200
        assert "Unsaved &lt;title&gt;" in page.text
        assert "Know more" in page.text
        assert "<em>words</em>" in page.text
        assert f'src="/north/media/{world.course.pk}/images/curve.png"' in page.text
        assert row(world.item) == before

    @pytest.mark.parametrize("slug", sorted(EXAMPLES))
    def test_new_content_has_a_preview_before_it_exists(self, tess: Client, world: World, slug: str) -> None:
        form = tess.get(add_url(world, slug))
        body = fields_of(form.text, "contentitem_form") | {"title": "Not yet"} | EXAMPLES[slug][0]
        url = re.search(r'formaction="([^"]+)"', form.text).group(1).replace("&amp;", "&")
        page = self.preview(tess, url, body)
        assert (page.status_code, "<h1" in page.text, "Not yet" in page.text) == (200, True, True)
        assert not ContentItem.objects.filter(title="Not yet").exists()

    def test_a_quiz_is_shown_without_its_answers(self, tess: Client, quiz: ContentItem) -> None:
        page = self.preview(tess, f"{ITEMS}{quiz.pk}/preview/", opened(tess, change_url(quiz)))
        assert ("Which?" in page.text, "Because." in page.text) == (True, False)

    def test_markup_is_cleaned(self, tess: Client, world: World) -> None:
        body = opened(tess, change_url(world.item)) | {
            "data-format": "html",
            "data-body": '<p onclick="x()">a</p><script>alert(1)</script><iframe src="https://evil.example"></iframe>',
        }
        page = self.preview(tess, f"{ITEMS}{world.item.pk}/preview/", body)
        assert re.findall(r"<script|onclick|<iframe|evil", page.text) == []

    def test_its_page_may_run_and_send_nothing(self, tess: Client, world: World) -> None:
        page = self.preview(tess, f"{ITEMS}{world.item.pk}/preview/", opened(tess, change_url(world.item)))
        policy = page["Content-Security-Policy"]
        assert "sandbox allow-same-origin allow-popups" in policy
        assert "unsafe" not in policy

    def test_what_is_wrong_is_listed(self, tess: Client, world: World) -> None:
        body = opened(tess, add_url(world, "video")) | {"title": "x", "data-provider": "youtube"}
        page = self.preview(tess, f"{ITEMS}add/preview/?module={world.lesson.pk}&type=video", body)
        assert page.status_code == 400
        assert "YouTube id : This is needed." in text_of(page)

    def test_is_asked_for_by_post_and_for_something_of_ones_own(self, tess: Client, world: World) -> None:
        assert tess.get(f"{ITEMS}{world.item.pk}/preview/").status_code == 405
        foreign = f"?module={world.south_item.module.pk}&type=text"
        for query in ("", foreign, f"?module={world.lesson.pk}", "?module=x&type=text"):
            assert tess.post(f"{ITEMS}add/preview/{query}", {"data-body": "x"}).status_code == 404
