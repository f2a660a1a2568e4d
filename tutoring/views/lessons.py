"""A lesson with its tutor."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lms.learning.access import access_lesson
from lms.learning.actions.progress import note_place
from tenants.requests import signed_in
from tutoring.actions.sessions import start_session
from tutoring.views.pages import lesson_page


@login_required
@require_safe
def lesson(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    if place.enrollment:
        note_place(place.enrollment, place.item)
    return lesson_page(request, place)


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
