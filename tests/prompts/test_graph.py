"""No accepted change leaves a live label broken, for anybody, whatever is done at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import TransactionTestCase

from prompts.actions import add_version, create_prompt, delete_label, move_label
from prompts.errors import MissingPrompt, WouldBreak
from prompts.models import Prompt, PromptLabel
from prompts.queries import broken_labels, compile_prompt
from tests.prompts.rows import body_at, refused, tag, text
from tests.world import make_world

pytestmark = pytest.mark.django_db


def test_a_move_that_would_break_depth_is_refused_and_says_for_whom(world):
    for number in range(5, 1, -1):
        text(world, f"p{number}", tag(f"p{number + 1}") if number < 5 else "end")
    text(world, "root", tag("p2"))
    text(world, "p6", "deeper")
    last = Prompt.objects.get(name="p5")
    # A draft that nobody includes yet is nobody's harm.
    add_version(by=world.tess, prompt=last, body=tag("p6"))
    error = refused(WouldBreak, lambda: move_label(by=world.ada, prompt=last, label="production", number=2))
    reason = "Prompts may be nested 5 deep, the outermost included: root → p2 → p3 → p4 → p5 → p6."
    assert (error.status, error.detail) == (
        409,
        "Prompts that work now would no longer compile. "
        f"“root” (production) at north: {reason} “root” (latest) at north: {reason}",
    )
    assert body_at(world.north) == "end"


def two_that_could_include_each_other(by, university, suffix=""):
    """a and b, labelled x and y on their first versions; the second ones include what the other's label stands on."""
    prompts = []
    for name, label in ((f"a{suffix}", "x"), (f"b{suffix}", "y")):
        first = create_prompt(by=by, university=university, name=name, type="text", body=name, labels=[label])
        prompts.append(first.prompt)
    a, b = prompts
    add_version(by=by, prompt=a, body=tag(b.name, "y"))
    add_version(by=by, prompt=a, body="a again")
    add_version(by=by, prompt=b, body=tag(a.name, "x"))
    add_version(by=by, prompt=b, body="b again")
    return a, b


def test_a_move_that_would_close_a_circle_is_refused(world):
    a, b = two_that_could_include_each_other(world.tess, world.north)
    move_label(by=world.tess, prompt=a, label="x", number=2)
    error = refused(WouldBreak, lambda: move_label(by=world.tess, prompt=b, label="y", number=2))
    assert "“a” (x) at north: A prompt may not include itself or another version of itself: a → b → a." in error.detail
    move_label(by=world.tess, prompt=a, label="x", number=3)
    move_label(by=world.tess, prompt=b, label="y", number=2)
    found = compile_prompt(name="b", label="y", university=world.north)
    assert found.body == "a again"


def test_a_new_version_counts_as_a_move_of_latest(world):
    part = text(world, "part", "fine").prompt
    text(world, "end", "end")
    for number in range(4, 1, -1):
        text(world, f"p{number}", tag(f"p{number + 1}") if number < 4 else tag("part", "latest"))
    text(world, "root", tag("p2"))
    error = refused(WouldBreak, lambda: add_version(by=world.tess, prompt=part, body=tag("end")))
    assert "root → p2 → p3 → p4 → part → end" in error.detail
    assert body_at(world.north) == "fine"


def test_a_label_that_is_needed_cannot_be_taken_away(world):
    part = text(world, "part", "fine").prompt
    text(world, "root", tag("part"))
    error = refused(WouldBreak, lambda: delete_label(by=world.ada, prompt=part, label="production"))
    assert "“root” (production) at north: There is no prompt “part” (production)." in error.detail


def test_own_prompts_shadow_the_platforms(world):
    for name, body in (("part", "platform part"), ("root", f"<{tag('part')}>")):
        text(world, name, body, university=None)
    part = text(world, "part", "north part", "staging").prompt
    assert [body_at(place) for place in (world.north, world.south, None)] == ["<platform part>"] * 3
    move_label(by=world.ada, prompt=part, label="production", number=1)
    assert [body_at(place) for place in (world.north, world.south, None)] == [
        "<north part>",
        "<platform part>",
        "<platform part>",
    ]
    text(world, "root", f"[{tag('part')}]")
    delete_label(by=world.ada, prompt=part, label="production")
    assert [body_at(place) for place in (world.north, world.south)] == ["[platform part]", "<platform part>"]


def test_shadowing_by_number(world):
    text(world, "part", "platform 1", university=None)
    text(world, "root", "@@@langfusePrompt:name=part|version=1@@@", university=None)
    text(world, "part", "north 1", "staging")
    assert (body_at(world.north), body_at(world.south)) == ("north 1", "platform 1")


def test_a_shadow_that_would_break_the_platforms_prompt_for_the_university_is_refused(world):
    text(world, "part", "platform part", university=None)
    text(world, "root", tag("part"), university=None)

    def shadow(label):
        return create_prompt(
            by=world.ada,
            university=world.north,
            name="part",
            type="chat",
            body=[{"role": "user", "content": "x"}],
            labels=[label],
        )

    error = refused(WouldBreak, lambda: shadow("production"))
    assert "“root” (production) at north: “part” (production) is a chat prompt" in error.detail
    assert shadow("staging").number == 1


def test_a_change_of_the_platforms_that_would_break_a_university_is_refused(world):
    shared = text(world, "part", "platform part", university=None).prompt
    text(world, "tone", "calm", university=None)
    text(world, "tone", f"north, {tag('part')}")
    text(world, "root", tag("tone"))
    # For the platform alone there is no circle: its own tone includes nothing.
    error = refused(
        WouldBreak,
        lambda: add_version(by=world.platform, prompt=shared, body=tag("tone"), labels=["production"]),
    )
    assert "“root” (production) at north: A prompt may not include itself" in error.detail
    assert "at south" not in error.detail


def test_damage_done_behind_the_products_back_does_not_stop_its_mending(world):
    part = text(world, "part", "fine").prompt
    text(world, "root", tag("part"))
    other = text(world, "other", "x").prompt
    PromptLabel.objects.filter(prompt=part).delete()
    assert {str(reference) for _, reference in broken_labels(world.north)} == {"“root” (production)", "“root” (latest)"}
    add_version(by=world.tess, prompt=other, body="y")
    move_label(by=world.ada, prompt=part, label="production", number=1)
    assert broken_labels(world.north) == {}


class ConcurrentWriters(TransactionTestCase):
    """Threads with connections and transactions of their own, against the real database."""

    def setUp(self):
        self.world = make_world()

    def _at_once(self, writes):
        def run(write):
            try:
                return write()
            except WouldBreak as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(writes)) as pool:
            return list(pool.map(run, writes))

    def _create(self, name, body, labels=("production",)):
        return create_prompt(
            by=self.world.ada, university=self.world.north, name=name, type="text", body=body, labels=labels
        )

    def test_numbers_have_no_gaps_with_eight_writers(self):
        prompt = self._create("a", "0").prompt
        writes = [
            lambda n=n: [
                add_version(by=self.world.ada, prompt=prompt, body=f"{n} {turn}", labels=["staging"]).number
                for turn in range(5)
            ]
            for n in range(8)
        ]
        written = self._at_once(writes)
        assert sorted(number for numbers in written for number in numbers) == list(range(2, 42))
        assert all(numbers == sorted(numbers) for numbers in written)
        assert list(prompt.versions.order_by("number").values_list("number", flat=True)) == list(range(1, 42))
        assert prompt.labels.get(name="staging").version.number == 41

    def test_a_failed_write_uses_up_no_number(self):
        prompt = self._create("a", "0").prompt
        with pytest.raises(MissingPrompt):
            add_version(by=self.world.ada, prompt=prompt, body=tag("gone"))
        assert add_version(by=self.world.ada, prompt=prompt, body="1").number == 2

    def test_two_moves_that_close_a_circle_only_together(self):
        for turn in range(5):
            a, b = two_that_could_include_each_other(self.world.ada, self.world.north, turn)
            results = self._at_once(
                [
                    lambda a=a: move_label(by=self.world.ada, prompt=a, label="x", number=2),
                    lambda b=b: move_label(by=self.world.ada, prompt=b, label="y", number=2),
                ]
            )
            assert sorted(type(result).__name__ for result in results) == ["PromptLabel", "WouldBreak"]
        assert broken_labels(self.world.north) == {}
