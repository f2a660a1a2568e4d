"""A conversation's title: made by the small model from its first question and reply."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from prompts.composition import CompiledPrompt
from prompts.errors import CompositionError
from prompts.queries import compile_prompt
from tutoring.models import ChatSession, Message
from tutoring.providers.protocol import Turn, TutorRequest

PROMPT = "tutor/title"
MAX_TITLE_CHARACTERS = 80
_MAX_OUTPUT_TOKENS = 64
# The beginning says what it is about; the rest would only cost.
_EXCERPT_CHARACTERS = 2000


@dataclass(frozen=True)
class TitleRequest:
    """What to ask, and the title that the answer takes the place of."""

    request: TutorRequest
    instead_of: str


def title_request(session_id: UUID) -> TitleRequest | None:
    """For a conversation that has just its first complete reply and is still called after its first question.

    None for others, and where the university has no prompt for it: then the question stays the title.
    """
    session = ChatSession.objects.select_related("university").filter(pk=session_id).first()
    complete = Message.objects.filter(session=session_id, role=Message.Role.ASSISTANT, state=Message.State.COMPLETE)
    if session is None or complete.count() != 1:
        return None
    first = Message.objects.filter(session=session_id).order_by("seq").values_list("body", flat=True)[:1]
    if session.title != title_from(first.get()):
        return None
    reply = complete.select_related("parent").get()
    try:
        prompt = compile_prompt(name=PROMPT, university=session.university)
    except CompositionError:
        return None
    return TitleRequest(_request(session, prompt, reply), instead_of=session.title)


def _request(session: ChatSession, prompt: CompiledPrompt, reply: Message) -> TutorRequest:
    messages = prompt.render({}).messages
    question = reply.parent.body if reply.parent else ""
    exchange = f"<question>\n{_excerpt(question)}\n</question>\n<reply>\n{_excerpt(reply.body)}\n</reply>"
    return TutorRequest(
        model=settings.TUTOR_SMALL_MODEL,
        system="\n\n".join(message["content"] for message in messages if message["role"] == "system"),
        briefing=[message["content"] for message in messages if message["role"] != "system"],
        lesson="",
        language=session.content_context["language"],
        turns=[Turn("user", exchange)],
        max_output_tokens=_MAX_OUTPUT_TOKENS,
    )


def clean_title(text: str) -> str:
    """One line of plain words, or nothing where the model gave none."""
    lines = [line.strip().strip("\"'“”«»#*_` ").rstrip(".") for line in text.replace("\x00", "").splitlines()]
    return next((line for line in lines if line), "")[:MAX_TITLE_CHARACTERS]


def give_title(session_id: UUID, title: str, *, instead_of: str) -> None:
    """Nothing where the student has named the conversation meanwhile."""
    ChatSession.objects.filter(pk=session_id, title=instead_of).update(title=title)


def title_from(question: str) -> str:
    """The beginning of its first line, which is a conversation's title until there is a better one."""
    line = question.strip().splitlines()[0].strip() if question.strip() else ""
    return line if len(line) <= MAX_TITLE_CHARACTERS else f"{line[: MAX_TITLE_CHARACTERS - 1].rstrip()}…"


def _excerpt(text: str) -> str:
    return text[:_EXCERPT_CHARACTERS]
