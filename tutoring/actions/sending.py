"""Taking a student's words: stored first, answered afterwards."""

import hashlib
import json
from dataclasses import dataclass
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
from tutoring.access import access_session
from tutoring.actions.generations import LEASE_S, fail_lapsed
from tutoring.briefing import request_for
from tutoring.errors import BadQuestion, GenerationRunning, KeyReused, LessonClosed
from tutoring.models import ChatSession, Generation, IdempotencyKey, Message
from tutoring.providers.protocol import TutorRequest

_TITLE_LENGTH = 80


@dataclass(frozen=True)
class Sent:
    """The rows of one send. `request` is what to ask the model; None when this send was answered before."""

    session: UUID
    message: UUID
    reply: UUID
    generation: UUID
    request: TutorRequest | None = None


def send_message(*, by: User, session_id: UUID, key: str, text: str, owner: str, parent_id: UUID | None = None) -> Sent:
    """Store the question and an empty reply for the process `owner` to fill, in one short transaction.

    The same `key` with the same words gives the first answer again and stores nothing. Raises `GenerationRunning`
    while another reply of this conversation is being made, `KeyReused`, `BadQuestion`, and whatever keeps the
    item's prompt from compiling; `LessonClosed` where the student may no longer open the lesson.
    """
    text = _checked(text)
    _check_key(key)
    session = access_session(by, session_id)
    body_hash = _hash(session.pk, text, parent_id)
    # Before anything that may have changed since: what was taken once is answered, not refused.
    if known := _known_key(session, key):
        return _answer_again(known, body_hash)
    _require_open_lesson(session)
    item = session.content_item
    prompt = compile_prompt(name=item.prompt_name, label=item.prompt_label, university=session.university)
    try:
        with transaction.atomic():
            return _store(session, by=by, key=key, text=text, owner=owner, parent_id=parent_id, prompt=prompt)
    except IntegrityError as error:
        # The session's lock orders its own sends, so what collides is one key used in two conversations at once.
        raise KeyReused from error


def _store(
    session: ChatSession, *, by: User, key: str, text: str, owner: str, parent_id: UUID | None, prompt: CompiledPrompt
) -> Sent:
    ChatSession.objects.select_for_update(of=("self",)).get(pk=session.pk)
    body_hash = _hash(session.pk, text, parent_id)
    # Again, now that no other send of this conversation can come between.
    if known := _known_key(session, key):
        return _answer_again(known, body_hash)
    _refuse_while_running(session)
    question = _add_question(session, text, parent_id)
    reply = Message.objects.create(
        university=session.university,
        session=session,
        parent=question,
        seq=question.seq + 1,
        role=Message.Role.ASSISTANT,
        state=Message.State.PENDING,
    )
    generation = Generation.objects.create(
        university=session.university,
        session=session,
        message=reply,
        owner=owner,
        lease_until=Now() + timedelta(seconds=LEASE_S),
        provider=settings.TUTOR_PROVIDER,
        model=settings.TUTOR_MODEL if settings.TUTOR_PROVIDER != "practice" else "",
        prompt_versions=[version.as_json() for version in prompt.versions],
        prompt_hash=prompt.hash,
    )
    ChatSession.objects.filter(pk=session.pk).update(
        title=session.title or _title_from(text), updated_at=question.created_at
    )
    ids = {"session": session.pk, "message": question.pk, "reply": reply.pk, "generation": generation.pk}
    answer = {name: str(value) for name, value in ids.items()}
    IdempotencyKey.objects.create(university=session.university, user=by, key=key, body_hash=body_hash, answer=answer)
    return Sent(**ids, request=request_for(session, prompt, question))


def _require_open_lesson(session: ChatSession) -> None:
    place = {"offering": session.offering_id, "item": session.content_item_id}
    try:
        access_lesson(session.user, university=session.university.slug, **place)
    except NotVisible as error:
        raise LessonClosed from error


def _add_question(session: ChatSession, text: str, parent_id: UUID | None) -> Message:
    messages = Message.objects.filter(session=session)
    last_seq = messages.aggregate(last=Max("seq"))["last"] or 0
    if parent_id is not None and not messages.filter(pk=parent_id, role=Message.Role.ASSISTANT).exists():
        raise BadQuestion("The message that this one answers is not a reply of this conversation.")
    if parent_id is None and last_seq:
        parent_id = messages.values_list("pk", flat=True).get(seq=last_seq)
    return Message.objects.create(
        university=session.university,
        session=session,
        parent_id=parent_id,
        seq=last_seq + 1,
        role=Message.Role.USER,
        body=text,
        finished_at=Now(),
    )


def _refuse_while_running(session: ChatSession) -> None:
    fail_lapsed(session)
    running = Generation.objects.live().filter(session=session).values_list("pk", flat=True).first()
    if running:
        raise GenerationRunning(running)


def _known_key(session: ChatSession, key: str) -> IdempotencyKey | None:
    return IdempotencyKey.objects.filter(university=session.university, user=session.user, key=key).first()


def _answer_again(known: IdempotencyKey, body_hash: str) -> Sent:
    if known.body_hash != body_hash:
        raise KeyReused
    ids = {name: UUID(value) for name, value in known.answer.items()}
    return Sent(session=ids["session"], message=ids["message"], reply=ids["reply"], generation=ids["generation"])


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


def _hash(session_id: UUID, text: str, parent_id: UUID | None) -> str:
    return hashlib.sha256(json.dumps([str(session_id), text, str(parent_id)]).encode()).hexdigest()


def _title_from(text: str) -> str:
    line = text.splitlines()[0].strip()
    return line if len(line) <= _TITLE_LENGTH else f"{line[: _TITLE_LENGTH - 1].rstrip()}…"
