"""The worker that ends replies whose process is gone."""

from datetime import timedelta

from django.db import connections
from django.test import TransactionTestCase
from django.utils import timezone

from tests.tutoring.scenes import ask, end, sams_session, save
from tests.world import make_world
from tutoring.actions import recovery
from tutoring.actions.recovery import forget_what_is_old, lapsed_generations, recover_lapsed
from tutoring.models import Generation, IdempotencyKey, Message, UsageEntry


def lapse(sent):
    Generation.objects.filter(pk=sent.generation).update(lease_until=timezone.now() - timedelta(seconds=1))


def state(sent):
    message = Message.objects.get(pk=sent.reply)
    assert message.state == Generation.objects.get(pk=sent.generation).state
    return message.state, message.body, message.error_code


def test_a_lapsed_reply_is_ended_with_its_text_and_others_are_left_alone(world):
    dead = ask(world, sams_session(world))
    save(dead, "Half a")
    alive = ask(world, sams_session(world))
    assert recover_lapsed() == []
    lapse(dead)
    assert [each.pk for each in lapsed_generations()] == [dead.generation]
    assert [(each.generation, each.university, each.length) for each in recover_lapsed()] == [
        (dead.generation, "north", 6)
    ]
    assert (state(dead), state(alive)) == (("failed", "Half a", "interrupted"), ("pending", "", ""))
    assert recover_lapsed() == []
    assert end(alive)


def test_one_from_before_there_were_budgets_is_ended_too(world):
    dead = ask(world, sams_session(world))
    lapse(dead)
    Generation.objects.filter(pk=dead.generation).update(budget_day=None)
    assert [each.generation for each in recover_lapsed()] == [dead.generation]


def test_keys_are_forgotten_after_a_month(world):
    session = sams_session(world)
    for days in (29, 31):
        end(ask(world, session, f"{days} days ago?", key=f"{days}-days-ago"))
        IdempotencyKey.objects.filter(key=f"{days}-days-ago").update(created_at=timezone.now() - timedelta(days=days))
    forget_what_is_old()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["29-days-ago"]


def test_one_that_cannot_be_ended_does_not_hold_up_the_others(world, caplog):
    broken, dead = ask(world, sams_session(world)), ask(world, sams_session(world))
    for sent in (broken, dead):
        lapse(sent)
    # As if it had been settled already, which the ledger takes once.
    day = Generation.objects.get(pk=broken.generation).budget_day
    UsageEntry.objects.create(university=world.north, generation=broken.generation, provider="practice", day=day)
    assert [each.generation for each in recover_lapsed()] == [dead.generation]
    assert (state(broken), state(dead)) == (("pending", "", ""), ("failed", "", "interrupted"))
    assert [record.msg["event"] for record in caplog.records] == ["tutor_reply_not_recovered"]


class TwoWorkers(TransactionTestCase):
    def test_the_second_finds_the_work_taken(self):
        world = make_world()
        dead = ask(world, sams_session(world))
        lapse(dead)
        other = connections.create_connection("default")
        self.addCleanup(other.close)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [recovery._ONE_WORKER])
            assert recover_lapsed() == []
            cursor.execute("SELECT pg_advisory_unlock(%s)", [recovery._ONE_WORKER])
        assert len(recover_lapsed()) == 1

    def test_one_that_is_being_ended_now_is_not_waited_for(self):
        world = make_world()
        dead = ask(world, sams_session(world))
        lapse(dead)
        other = connections.create_connection("default")
        self.addCleanup(other.close)
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM tutoring_generation WHERE id = %s FOR UPDATE", [dead.generation])
            assert recover_lapsed() == []
            cursor.execute("ROLLBACK")
        assert len(recover_lapsed()) == 1
