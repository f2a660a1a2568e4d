"""One settings file: development defaults, and a refusal in words of every bad value.

Each value that an installation may change is an environment variable (or a line of `.env`), listed in `.env.example`.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from dotenv import load_dotenv

from lms import env
from lms.embedded_postgres import Cluster
from lms.logs import configure_structlog, logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")

# State of this installation that is not in the database: the embedded cluster, media files, collected static files.
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

DEBUG = env.boolean("DEBUG", default=True)
# The address at which people reach the site; https here makes cookies Secure and turns on HSTS.
SITE_URL = env.url("SITE_URL", "http://127.0.0.1:8000")
IS_HTTPS = SITE_URL.startswith("https://")
if DEBUG and IS_HTTPS:
    raise ImproperlyConfigured(
        "DEBUG is on with an https SITE_URL: its secrets are known to everybody. Set DEBUG=false."
    )
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]

_WHY_SECRET = "with DEBUG off each installation needs a long random value of its own"  # noqa: S105 # a sentence
SECRET_KEY = env.text("SECRET_KEY", "development-only") if DEBUG else env.required("SECRET_KEY", _WHY_SECRET)
# Tokens of the API have their own key, so that renewing one key does not spend the other.
JWT_SIGNING_KEY = (
    env.text("JWT_SIGNING_KEY", "development-only-" + "j" * 32)
    if DEBUG
    else env.required("JWT_SIGNING_KEY", _WHY_SECRET)
)
if len(JWT_SIGNING_KEY) < 32:
    raise ImproperlyConfigured("JWT_SIGNING_KEY is too short: HS256 needs at least 32 characters.")
JWT_ISSUER = SITE_URL
JWT_AUDIENCE = "colloquy-api"
ACCESS_TOKEN_LIFETIME = timedelta(minutes=30)
REFRESH_TOKEN_LIFETIME = timedelta(days=7)

INSTALLED_APPS = [
    "daphne",
    "lms",
    "tutoring",
    "lms.learning",
    "lms.courses",
    "prompts",
    "tenants",
    "mptt",
    "allauth",
    "allauth.account",
    "django_structlog",
    "csp",
    "ninja",
    "tenants.apps.ColloquyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
]

MIDDLEWARE = [
    "tenants.middleware.VisitMiddleware",
    # Those that add headers come before those that answer by themselves, so that static files and redirects have them.
    "tenants.headers.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "tenants.middleware.RecognisingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "tenants.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "lms.urls"
ASGI_APPLICATION = "lms.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]


# Database. The application connects as a role that owns nothing and sees the rows of one university at a time; the
# platform's role sees all, and each use of it is audited; only migrations use the owner.

_ADDRESSES = {"default": "DATABASE_URL", "platform": "DATABASE_PLATFORM_URL", "owner": "DATABASE_OWNER_URL"}


def _databases() -> dict[str, Any]:
    urls = {alias: env.text(name) for alias, name in _ADDRESSES.items()}
    if any(urls.values()) and not all(urls.values()):
        raise ImproperlyConfigured(
            "DATABASE_URL (the application's role), DATABASE_PLATFORM_URL (the role that sees all universities) and"
            " DATABASE_OWNER_URL (the role that migrates) go together."
        )
    if not any(urls.values()):
        cluster = Cluster(Path(env.text("EMBEDDED_POSTGRES_DIR", str(DATA_DIR / "postgres"))), durable=not IS_TEST)
        cluster.ensure_started()
        urls = {alias: cluster.urls()[name] for alias, name in _ADDRESSES.items()}
    databases: dict[str, Any] = {alias: dj_database_url.parse(url) for alias, url in urls.items()}
    for alias, database in databases.items():
        if database["ENGINE"] != "django.db.backends.postgresql":
            raise ImproperlyConfigured(f"The database of {alias!r} is not PostgreSQL: use a postgres:// address.")
    for alias in ("default", "platform"):
        databases[alias]["ENGINE"] = "tenants.postgresql"
        # A cursor on the server would outlive the settings that its SELECT was sent with.
        databases[alias]["DISABLE_SERVER_SIDE_CURSORS"] = True
    # A pool instead of persistent connections: under ASGI those would belong to threads that come and go.
    size = env.integer("DATABASE_POOL_SIZE", 0 if IS_TEST else 10, minimum=0, maximum=500)
    if size:
        databases["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": size, "timeout": 10}}
        databases["platform"]["OPTIONS"] = {"pool": {"min_size": 0, "max_size": size, "timeout": 10}}
        for alias in ("default", "platform"):
            # A pool hands out connections that a restarted server has cut, unless it looks at them first.
            databases[alias]["CONN_HEALTH_CHECKS"] = True
    return databases


# Set by the test suite alone: a throw-away cluster, no pool.
IS_TEST = env.boolean("COLLOQUY_TEST", default=False)
DATABASES = _databases()
PLATFORM_DATABASE = "platform"
APPLICATION_ROLE, PLATFORM_ROLE = (DATABASES[alias]["USER"] for alias in ("default", "platform"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_DATABASE = "owner"

REDIS_URL = env.url("REDIS_URL", "", schemes=("redis", "rediss", "unix"))
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}


# People and sign-in.

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["tenants.accounts.AuthenticationBackend"]
# The SHA-256 before bcrypt is what makes passwords beyond bcrypt's 72 bytes count whole.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# auth.W004 wants `unique=True`; the constraint on lower(email) is stricter than that.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "learning:front"
LOGOUT_REDIRECT_URL = "learning:front"
ACCOUNT_ADAPTER = "tenants.accounts.AccountAdapter"
ACCOUNT_FORMS = {"signup": "tenants.forms.SignupForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
# Tries per address ("ip"), named thing ("key") or person; what is not named here has allauth's own rates.
ACCOUNT_RATE_LIMITS = {
    "api_check_email": "10/m/ip,200/d/ip",
    "api_register": "10/m/ip,200/d/ip",
    # By page and API together; each try for a taken address is a mail to its owner.
    "signup_address": "10/h/key",
}

CSRF_FAILURE_VIEW = "tenants.error_pages.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# No script of ours reads either: forms carry the token themselves.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1, maximum=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=True)
EMAIL_FILE_PATH = env.text("EMAIL_FILE_PATH")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Colloquy <no-reply@localhost>")
# Mail goes to the console until a server (EMAIL_HOST) or, for trials, a folder (EMAIL_FILE_PATH) is named.
_mailer = "filebased" if EMAIL_FILE_PATH else "smtp" if env.text("EMAIL_HOST") else "console"
EMAIL_BACKEND = f"django.core.mail.backends.{_mailer}.EmailBackend"


# The tutor.

from lms.tutor_settings import *  # noqa: E402,F403

# Files.

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Straight from the source folders where nothing has been collected.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG or IS_TEST
WHITENOISE_ALLOW_ALL_ORIGINS = False  # pages of other sites have no use for them
MEDIA_ROOT = DATA_DIR / "media"
S3_BUCKET = env.text("S3_BUCKET")
STORAGES: dict[str, Any] = {
    # Media are served by a view that checks rights, never by their storage's own address.
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": S3_BUCKET, "endpoint_url": env.url("S3_ENDPOINT_URL", "") or None},
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or IS_TEST
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}


# What browsers may do.

# The longest message over a socket. Daphne, behind `runserver`, weighs what comes in pieces piece by piece: its limit for
# whole messages would be one for what is sent, too.
MAX_FRAME_BYTES = DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 65_536
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS and env.boolean("SECURE_SSL_REDIRECT", default=True)
# Load balancers ask for these by plain HTTP and an address of their own.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Without a proxy nobody's word about where a request came from is believed.
ALLAUTH_TRUSTED_PROXY_COUNT = 0
if env.boolean("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
# A quiz of a hundred questions with their options is one form of the admin.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # The one outside page that a lesson may show: YouTube's player without its cookies.
        "frame-src": ["https://www.youtube-nocookie.com"],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}


# Language, time, logs.

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ar", _("Arabic")), ("de", _("German")), ("es", _("Spanish")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "lms" / "locale"]

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "console" if DEBUG else "json", ("console", "json"))
LOGGING: dict[str, Any] = logging_settings(LOG_LEVEL, LOG_FORMAT)
configure_structlog()
