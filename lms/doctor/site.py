"""The site itself: secrets, addresses, files."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http.request import validate_host
from django.utils.crypto import get_random_string

from lms.doctor.findings import Verdict, fail, ok, warn
from tenants.keys import PLATFORM, key_for

_SHORTEST_SECRET = 32


def secrets() -> Verdict:
    if settings.DEBUG:
        return warn("DEBUG is on: whoever sees the source knows the secrets. Never so on an open network.")
    keys = {"SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY}
    for name, value in keys.items():
        if value.startswith("development-only"):
            return fail(f"{name} is the one of the source: give it a long random value.")
        if len(value) < _SHORTEST_SECRET:
            return fail(f"{name} is shorter than {_SHORTEST_SECRET} characters.")
    if settings.SECRET_KEY == settings.JWT_SIGNING_KEY:
        return fail("SECRET_KEY and JWT_SIGNING_KEY are the same, so that renewing one spends the other.")
    return ok("Long, and not those of the source.")


def addresses() -> Verdict:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        return fail(f"SITE_URL is at {host}, which ALLOWED_HOSTS does not name: every page answers 400.")
    if "*" in settings.ALLOWED_HOSTS:
        return warn("ALLOWED_HOSTS is open: links in mails can be made to lead anywhere.")
    if not settings.DEBUG and not settings.IS_HTTPS:
        return warn(f"SITE_URL ({host}) is not https: passwords and sessions travel in the open.")
    return ok(f"{settings.SITE_URL} is among the allowed hosts.")


def static_files() -> Verdict:
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return ok("Served from the source folders.")
    if staticfiles_storage.read_manifest() is None:
        return fail("Not collected, and every page needs them: run manage.py collectstatic.")
    return ok(f"{len(staticfiles_storage.hashed_files)} are collected.")


def media_files() -> Verdict:
    """By writing a small file and deleting it again."""
    try:
        key = key_for(PLATFORM, f"doctor-{get_random_string(12)}.txt", joined_by="/")
        default_storage.delete(default_storage.save(key, ContentFile(b"written by manage.py doctor")))
    except Exception as error:
        # A bucket's client has errors of its own.
        return fail(f"The storage of media files cannot be written ({type(error).__name__}).")
    return ok("The storage can be written.")
