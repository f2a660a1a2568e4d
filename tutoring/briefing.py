"""What the tutor is told: the compiled prompt, the lesson as data, and the conversation so far."""

from collections.abc import Mapping

from django.conf import settings

from prompts.composition import CompiledPrompt
from tutoring.models import ChatSession, Message
from tutoring.providers.protocol import Turn, TutorRequest


def prompt_variables(session: ChatSession) -> Mapping[str, object]:
    """The variables of the design's list. Their values are data: a prompt never scans them for tags or variables."""
    context = session.content_context
    return {
        "title": context["title"],
        "content": context["content"],
        "content_type": context["content_type"],
        "course_title": context["course_title"],
        "module_path": context["module_path"],
        "objectives": "\n".join(f"- {objective}" for objective in context["objectives"]),
        "university_name": context["university_name"],
        "student_name": session.user.full_name,
        "locale": session.user.locale,
        # A student's own latest work; there are no attempts to quote yet.
        "attempt": "",
        "hint_level": context["hint_level"],
    }


def request_for(session: ChatSession, prompt: CompiledPrompt, question: Message) -> TutorRequest:
    """`session` comes with its user; the turns are those that lead to `question`, which is the last of them."""
    messages = prompt.render(prompt_variables(session)).messages
    briefing = [message["content"] for message in messages if message["role"] != "system"]
    return TutorRequest(
        model=settings.TUTOR_MODEL,
        system="\n\n".join(message["content"] for message in messages if message["role"] == "system"),
        # A prompt without a message for the lesson still gets it: a tutor without the lesson is of no use.
        briefing=briefing or [session.content_context["content"]],
        lesson=session.content_context["content"],
        language=session.content_context["language"],
        turns=[
            Turn(role="user" if m.role == Message.Role.USER else "assistant", text=m.body)
            for m in _path_to(question)
            if m.body
        ],
        max_output_tokens=settings.TUTOR_MAX_OUTPUT_TOKENS,
    )


def _path_to(message: Message) -> list[Message]:
    """From the first question down to `message`, along the parents; one query."""
    by_id = {m.pk: m for m in Message.objects.filter(session=message.session_id)}
    path = []
    step = by_id.get(message.pk)
    while step is not None:
        path.append(step)
        step = by_id.get(step.parent_id) if step.parent_id else None
    return path[::-1]
