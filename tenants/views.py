"""Pages of people and universities, and what a load balancer asks."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import actions, queries, readiness
from tenants.access import access_joinable_university
from tenants.forms import ProfileForm
from tenants.requests import signed_in


@require_POST
@login_required
def join(request: HttpRequest, university: str) -> HttpResponse:
    user = signed_in(request)
    joined = access_joinable_university(user, university)
    actions.join_university(by=user, university=joined)
    messages.success(request, _("You now belong to %(university)s.") % {"university": joined.name})
    return redirect("learning:home", university=joined.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = ProfileForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        form.save(user)
        messages.success(request, _("Saved."))
        return redirect("tenants:profile")
    return render(request, "tenants/profile.html", {"form": form, "memberships": queries.memberships_of(user)})


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can serve: it is not about to go, and its database answers."""
    if readiness.is_going_away():
        return HttpResponse("going away\n", status=503, content_type="text/plain")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
