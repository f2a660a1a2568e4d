"""Taking a student's words: stored first, answered afterwards."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Now

from lms.learning.access import access_lesson
from prompts.composition import CompiledPrompt
from prompts.queries import compile_prompt
from tenants.errors import NotVisible
from tenants.models import User
from tenants.throttles import Rate, count_against
from tutoring.access import access_session, lock_session
from tutoring.actions.budgets import Plan, plan_reply
from tutoring.actions.generations import LEASE_S
from tutoring.actions.recovery import end_lapsed
from tutoring.actions.titles import title_from
from tutoring.branches import siblings
from tutoring.briefing import estimate_tokens, request_for
from tutoring.errors import BadQuestion, GenerationRunning, KeyReused, LessonClosed
from tutoring.models import ChatSession, Generation, IdempotencyKey, Message
from tutoring.providers.protocol import TutorRequest


@dataclass(frozen=True)
class Sent:
    """The rows of one send. `request` is what to ask the model; None when this send was answered before.

    The siblings are ids of questions and of replies between which a reader may choose, oldest first, with these.
    """

    university: int
    session: UUID
    message: UUID
    reply: UUID
    generation: UUID
    request: TutorRequest | None = None
    provider: str = ""
    message_siblings: list[UUID] = field(default_factory=list)
    reply_siblings: list[UUID] = field(default_factory=list)


@dataclass(frozen=True)
class _Wish:
    """What a send asks for. `body` is what tells it from another under the same key; `question` finds or makes it."""

    body: list[str]
    question: Callable[[ChatSession], Message]


def send_message(
    *,
    by: User,
    session_id: UUID,
    key: str,
    text: str,
    owner: str,
    parent_id: UUID | None = None,
    edits_id: UUID | None = None,
    address: str = "",
) -> Sent:
    """Store the question and an empty reply for the process `owner` to fill, in one short transaction.

    The question follows the reply `parent_id`, or the newest message; with `edits_id` it stands beside that question,
    as another way to ask it. The same `key` with the same words gives the first answer again and stores nothing.
    Raises `GenerationRunning` while another reply of this conversation is being made, `KeyReused`, `BadQuestion`,
    `BudgetUsedUp`, `TooManyRequests`, and whatever keeps the item's prompt from compiling; `LessonClosed` where the
    student may no longer open the lesson.
    """
    text = _checked(text)
    body = [text, str(parent_id), *([str(edits_id)] if edits_id else [])]
    wish = _Wish(body, lambda session: _add_question(session, text, parent_id, edits_id))
    return _send(wish, by=by, session_id=session_id, key=key, owner=owner, address=address)


def regenerate(*, by: User, session_id: UUID, key: str, reply_id: UUID, owner: str, address: str = "") -> Sent:
    """Another reply to the question that `reply_id` answers, beside it. Otherwise as `send_message`."""
    wish = _Wish(["regenerate", str(reply_id)], lambda session: _answered_question(session, reply_id))
    return _send(wish, by=by, session_id=session_id, key=key, owner=owner, address=address)


def _send(wish: _Wish, *, by: User, session_id: UUID, key: str, owner: str, address: str) -> Sent:
    _check_key(key)
    session = access_session(by, session_id)
    body_hash = hashlib.sha256(json.dumps([str(session.pk), *wish.body]).encode()).hexdigest()
    # Before anything that may have changed since: what was taken once is answered, not refused.
    if known := _known_key(session, key):
        return _answer_again(known, body_hash)
    _throttle(by, address)
    _require_open_lesson(session)
    item = session.content_item
    prompt = compile_prompt(name=item.prompt_name, label=item.prompt_label, university=session.university)
    # Before and not within: it settles a budget of its own, whose counters may be those of another day.
    end_lapsed(session.pk)
    try:
        with transaction.atomic():
            session.title = lock_session(session).title
            # Again, now that no other send of this conversation can come between.
            if known := _known_key(session, key):
                return _answer_again(known, body_hash)
            sent = _store(session, wish, prompt=prompt, owner=owner)
            _remember(session, key, body_hash, sent)
            return sent
    except IntegrityError as error:
        # The session's lock orders its own sends, so what collides is one key used in two conversations at once.
        if "idempotency_key_once" not in str(error):
            raise
        raise KeyReused from error


def _store(session: ChatSession, wish: _Wish, *, prompt: CompiledPrompt, owner: str) -> Sent:
    _refuse_while_running(session)
    question = wish.question(session)
    reply = Message.objects.create(
        university=session.university,
        session=session,
        parent=question,
        seq=_next_seq(session),
        role=Message.Role.ASSISTANT,
        state=Message.State.PENDING,
    )
    briefed = request_for(session, prompt, question)
    plan = plan_reply(session, input_tokens=estimate_tokens(briefed.request))
    generation = _add_generation(
        session, reply, prompt=prompt, plan=plan, owner=owner, left_out_messages=briefed.left_out_messages
    )
    ChatSession.objects.filter(pk=session.pk).update(
        title=session.title or title_from(question.body), updated_at=reply.created_at
    )
    sent = Sent(
        university=session.university_id,
        session=session.pk,
        message=question.pk,
        reply=reply.pk,
        generation=generation.pk,
        request=replace(briefed.request, model=plan.model),
        provider=plan.provider,
    )
    return _with_siblings(sent)


def _add_generation(
    session: ChatSession, reply: Message, *, prompt: CompiledPrompt, plan: Plan, owner: str, left_out_messages: int
) -> Generation:
    return Generation.objects.create(
        university=session.university,
        session=session,
        message=reply,
        owner=owner,
        lease_until=Now() + timedelta(seconds=LEASE_S),
        provider=plan.provider,
        model=plan.model,
        prompt_versions=[version.as_json() for version in prompt.versions],
        prompt_hash=prompt.hash,
        left_out_messages=left_out_messages,
        budget_step=plan.step,
        budget_day=plan.day,
        reserved_tokens=plan.tokens,
        reserved_usd=plan.usd,
    )


def _throttle(by: User, address: str) -> None:
    rates = {f"user:{by.pk}": Rate(settings.TUTOR_SENDS_PER_MINUTE_PER_USER, per_s=60, noun="questions")}
    if address:
        rates[f"address:{address}"] = Rate(settings.TUTOR_SENDS_PER_MINUTE_PER_ADDRESS, per_s=60, noun="questions")
    count_against("sends_per_minute", rates)


def _require_open_lesson(session: ChatSession) -> None:
    place = {"offering": session.offering_id, "item": session.content_item_id}
    try:
        access_lesson(session.user, university=session.university.slug, **place)
    except NotVisible as error:
        raise LessonClosed from error


def _add_question(session: ChatSession, text: str, parent_id: UUID | None, edits_id: UUID | None) -> Message:
    messages = Message.objects.filter(session=session)
    if edits_id is not None:
        edited = messages.filter(pk=edits_id, role=Message.Role.USER).first()
        if edited is None:
            raise BadQuestion("The message to edit is not a question of this conversation.")
        parent_id = edited.parent_id
    elif parent_id is None:
        parent_id = messages.order_by("-seq").values_list("pk", flat=True).first()
    elif not messages.filter(pk=parent_id, role=Message.Role.ASSISTANT).exists():
        raise BadQuestion("The message that this one answers is not a reply of this conversation.")
    return Message.objects.create(
        university=session.university,
        session=session,
        parent_id=parent_id,
        seq=_next_seq(session),
        role=Message.Role.USER,
        body=text,
        finished_at=Now(),
    )


def _answered_question(session: ChatSession, reply_id: UUID) -> Message:
    question = Message.objects.filter(session=session, replies=reply_id, role=Message.Role.USER).first()
    if question is None:
        raise BadQuestion("What should be answered anew is not a reply of this conversation.")
    return question


def _next_seq(session: ChatSession) -> int:
    return (Message.objects.filter(session=session).aggregate(last=Max("seq"))["last"] or 0) + 1


def _refuse_while_running(session: ChatSession) -> None:
    running = Generation.objects.live().filter(session=session).values_list("pk", flat=True).first()
    if running:
        raise GenerationRunning(running)


def _known_key(session: ChatSession, key: str) -> IdempotencyKey | None:
    return IdempotencyKey.objects.filter(university=session.university, user=session.user, key=key).first()


def _remember(session: ChatSession, key: str, body_hash: str, sent: Sent) -> None:
    ids = {"session": sent.session, "message": sent.message, "reply": sent.reply, "generation": sent.generation}
    answer = {name: str(value) for name, value in ids.items()}
    IdempotencyKey.objects.create(
        university=session.university, user=session.user, key=key, body_hash=body_hash, answer=answer
    )


def _answer_again(known: IdempotencyKey, body_hash: str) -> Sent:
    if known.body_hash != body_hash:
        raise KeyReused
    ids = {name: UUID(value) for name, value in known.answer.items()}
    sent = Sent(
        university=known.university_id,
        session=ids["session"],
        message=ids["message"],
        reply=ids["reply"],
        generation=ids["generation"],
    )
    return _with_siblings(sent)


def _with_siblings(sent: Sent) -> Sent:
    groups = siblings(Message.objects.filter(session=sent.session).only("id", "parent_id", "role", "seq"))
    # Of a conversation that was deleted since, nothing is left to choose between.
    return replace(sent, message_siblings=groups.get(sent.message, []), reply_siblings=groups.get(sent.reply, []))


def _checked(text: str) -> str:
    # PostgreSQL's text holds neither NUL nor half a surrogate pair, which JSON can bring.
    text = text.encode(errors="ignore").decode().replace("\x00", "").replace("\r\n", "\n").strip()
    limit = settings.TUTOR_MAX_QUESTION_CHARACTERS
    if not text:
        raise BadQuestion("Please write a question first.")
    if len(text) > limit:
        raise BadQuestion(f"Your message has {len(text)} characters; at most {limit} can be sent.")
    return text


def _check_key(key: str) -> None:
    if not (8 <= len(key) <= 100 and key.isascii() and key.isprintable()):
        raise BadQuestion("The idempotency key must be 8 to 100 printable ASCII characters.")
