"""Universities and their people. Every tenant table of every app has its own `university`."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tenants.slugs import refuse_reserved


class Country(models.Model):
    iso_code = models.CharField(max_length=2, unique=True, validators=[RegexValidator("^[A-Z]{2}$")])
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "countries"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UniversityQuerySet(models.QuerySet["University"]):
    def visible_to(self, user: "User") -> Self:
        active = self.filter(is_active=True)
        return active if user.is_platform_admin else active.filter(pk__in=user.memberships.values("university"))

    def open_to_join(self) -> Self:
        return self.filter(is_active=True, is_open_to_join=True)

    def with_roles_of(self, user: "User") -> Self:
        """Each with `held_roles`, the list of the person's roles there."""
        held = Membership.objects.filter(university=models.OuterRef("pk"), user=user)
        return self.annotate(held_roles=ArraySubquery(held.values("role")))


class University(models.Model):
    class Accent(models.TextChoices):
        """Named because each is checked for contrast in the style sheet, in the light and in the dark."""

        INDIGO = "indigo", _("Indigo")
        TEAL = "teal", _("Teal")
        GREEN = "green", _("Green")
        PLUM = "plum", _("Plum")
        RUST = "rust", _("Rust")

    slug = models.SlugField(max_length=50, unique=True, validators=[refuse_reserved])
    name = models.CharField(max_length=200)
    short_code = models.CharField(max_length=20, unique=True)
    country = models.ForeignKey(Country, on_delete=models.PROTECT, related_name="universities")
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=16, default="en")
    website = models.URLField(blank=True)
    is_active = models.BooleanField(default=True)
    accent = models.CharField(max_length=20, choices=Accent, default=Accent.INDIGO)
    is_open_to_join = models.BooleanField(
        default=False, help_text=_("Anybody with a verified e-mail address may become a student here.")
    )
    policy = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UniversityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "universities"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DepartmentQuerySet(models.QuerySet["Department"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(university__in=University.objects.visible_to(user))


class Department(models.Model):
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="departments")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["university", "code"]
        constraints = [models.UniqueConstraint(fields=["university", "code"], name="department_code_once")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_platform_admin=True, **fields)


class User(AbstractBaseUser):
    """A person, who may hold roles at several universities. The e-mail address is unique without regard to case."""

    email = models.EmailField()
    full_name = models.CharField(max_length=200, blank=True)
    locale = models.CharField(max_length=16, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    is_platform_admin = models.BooleanField(default=False)
    current_streak_days = models.PositiveIntegerField(default=0)
    last_activity_date = models.DateField(null=True, blank=True)
    # How often the account was closed. Part of what every sign-in rests on, so that none comes back with the account.
    times_closed = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def sign_in_basis(self) -> str:
        """What sessions, tokens and open connections are bound to: whichever part of it changes, they are dead."""
        return f"{self.password}.{self.times_closed}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, with the whole basis instead of the password alone."""
        return salted_hmac("tenants.sessions", self.sign_in_basis, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.full_name

    # Django's admin asks these. Rights at a university come from memberships, through `tenants.admin.ScopedAdmin`.
    @property
    def is_staff(self) -> bool:
        return self.is_platform_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.is_platform_admin

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_superuser

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_superuser


class UserProfile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    date_of_birth = models.DateField(null=True, blank=True)
    learning_goal = models.CharField(max_length=500, blank=True)
    study_level = models.CharField(max_length=100, blank=True)
    grade = models.CharField(max_length=50, blank=True)
    subject_preferences = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"Profile of {self.user}"


class Role(models.TextChoices):
    """From the least to the most; `ROLE_ORDER` compares them."""

    STUDENT = "student", _("Student")
    TA = "ta", _("Teaching assistant")
    INSTRUCTOR = "instructor", _("Instructor")
    DEPARTMENT_ADMIN = "department_admin", _("Department administrator")
    UNIVERSITY_ADMIN = "university_admin", _("University administrator")
    # Platform administrators are marked on the user and need no membership.
    PLATFORM_ADMIN = "platform_admin", _("Platform administrator")


ROLE_ORDER = list(Role)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, user: User) -> Self:
        """The person's own, and all of a university for its administrators."""
        administered = user.memberships.filter(role=Role.UNIVERSITY_ADMIN).values("university")
        if user.is_platform_admin:
            return self
        return self.filter(models.Q(user=user) | models.Q(university__in=administered))

    def at_least(self, role: Role) -> Self:
        return self.filter(role__in=ROLE_ORDER[ROLE_ORDER.index(role) :])


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    university = models.ForeignKey(University, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[c for c in Role.choices if c[0] != Role.PLATFORM_ADMIN])
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "university", "role"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role for role in Role.values if role != "platform_admin"]),
                name="membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"


class AuditEntry(models.Model):
    """Who did what to which row. Append only: the application's role may neither change nor delete entries.

    The actor is kept as a number without a foreign key, so that an entry outlives the account.
    """

    university = models.ForeignKey(
        University, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    actor = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+")
    action = models.CharField(max_length=100, db_index=True)
    subject_type = models.CharField(max_length=100, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}".strip()


class TokenFamily(models.Model):
    """One sign-in through the API: the chain of refresh tokens that descend from it.

    Only the newest refresh token's id is good. Every access token names its family, so revoking the row kills both.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    refresh_id = models.UUIDField(default=uuid.uuid4)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    refreshed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=40, blank=True)
    # SHA-256 of the owner's `sign_in_basis` at sign-in: whichever way the password changes, the family is dead.
    password_digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "token families"
        indexes = [
            models.Index(fields=["user"], condition=models.Q(revoked_at=None), name="token_family_live"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RateWindow(models.Model):
    """How often something was done within one span of time. Written by `tenants.throttles` alone."""

    # Purpose and subject; an address only as a keyed hash of itself.
    key = models.CharField(max_length=150, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="rate_window_end")]

    def __str__(self) -> str:
        return self.key
