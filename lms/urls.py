"""Mounts; decides nothing. First segments here are names that no university may have: see `tenants.slugs`."""

from django.contrib import admin
from django.urls import include, path

from lms.api import api, no_such_address

handler400 = "tenants.error_pages.bad_request"
handler403 = "tenants.error_pages.forbidden"
handler404 = "tenants.error_pages.not_found"
handler500 = "tenants.error_pages.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("api/", no_such_address),
    path("api/<path:path>", no_such_address),
    path("", include("tenants.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("", include("tutoring.urls")),
    path("", include("lms.learning.urls")),
    path("", include("lms.courses.urls")),
]
