"""A lesson with its tutor. Every form works without a script."""

from functools import partial

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lms.learning.access import Lesson, access_lesson
from lms.learning.actions.progress import note_place
from lms.learning.lesson_page import lesson_context
from tenants.errors import DomainError
from tenants.requests import signed_in
from tutoring import queries
from tutoring.actions.sending import Sent, send_message
from tutoring.actions.sessions import start_session
from tutoring.forms import AskForm
from tutoring.panel import Refusal, lesson_panel
from tutoring.runner import OWNER, runner
from tutoring.views.replies import answered


@login_required
@require_safe
def lesson(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    if place.enrollment:
        note_place(place.enrollment, place.item)
    return _lesson_page(request, place)


def _lesson_page(
    request: HttpRequest, place: Lesson, refusal: DomainError | None = None, draft: str = ""
) -> HttpResponse:
    conversation = queries.latest_conversation(signed_in(request), place)
    panel = lesson_panel(
        conversation,
        university=place.university.slug,
        offering=place.offering.pk,
        item=place.item.pk,
        objectives=place.item.objectives,
        revision=place.item.revision,
        refusal=Refusal.of(refusal, draft),
    )
    context = {**lesson_context(place, request.GET), "tutor": panel}
    return render(request, "tutoring/lesson.html", context, status=refusal.status if refusal else 200)


@login_required
@require_POST
def new_session(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """Begin a conversation: the page's script asks for JSON, a form comes back to the lesson."""
    user = signed_in(request)
    place = access_lesson(user, university=university, offering=offering, item=item)
    session = start_session(by=user, lesson=place)
    if request.accepts("text/html"):
        return redirect(reverse("tutoring:lesson", args=[university, offering, item]) + "#tutor")
    return JsonResponse({"session": str(session.pk), "socket": f"/ws/tutor/{session.pk}/"}, status=201)


@login_required
@require_POST
async def ask(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """The form of a lesson without a script: comes back with the finished reply."""
    lesson_url = reverse("tutoring:lesson", args=[university, offering, item])
    try:
        sent = await runner.send(partial(_ask_in_lesson, request, university, offering, item))
    except DomainError as error:
        if error.status == 404:
            raise
        return await sync_to_async(_refused_lesson)(request, university, offering, item, error)
    return await answered(sent, lesson_url)


def _ask_in_lesson(request: HttpRequest, university: str, offering: int, item: int) -> Sent:
    """In the newest conversation of the lesson, or a first one."""
    user = signed_in(request)
    place = access_lesson(user, university=university, offering=offering, item=item)
    form = AskForm.read(request.POST)
    session = queries.latest_conversation(user, place).session or start_session(by=user, lesson=place)
    return send_message(by=user, session_id=session.pk, key=form.key, text=form.text, owner=OWNER)


def _refused_lesson(
    request: HttpRequest, university: str, offering: int, item: int, error: DomainError
) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    return _lesson_page(request, place, error, request.POST.get("text", ""))
