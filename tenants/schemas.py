"""What the API takes and gives about people and universities."""

import re
import zoneinfo
from datetime import date, datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, StringConstraints

from tenants.models import University, User
from tenants.queries import highest_of


def _printable(text: str) -> str:
    # PostgreSQL refuses NUL with an error, and control characters have no place in a name.
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("must not contain control characters")
    return text


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("must be an e-mail address") from error
    return text.lower()


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("must be a time zone such as Europe/Oslo")
    return name


def _birthday(day: date) -> date:
    if not date(1900, 1, 1) <= day <= timezone.now().date():
        raise ValueError("must be a day in the past")
    return day


_Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_printable)]
Name = Annotated[_Line, StringConstraints(min_length=1, max_length=200)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_email)]
# Long enough for every passphrase; the hash takes all of it.
Password = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Locale = Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time_zone)]
Birthday = Annotated[date, AfterValidator(_birthday)]
Subject = Annotated[_Line, StringConstraints(min_length=1, max_length=100)]
Subjects = Annotated[
    list[Subject], Field(max_length=50), AfterValidator(lambda subjects: list(dict.fromkeys(subjects)))
]
Token = Annotated[str, StringConstraints(max_length=4000)]


class In(Schema):
    """Base of what the API takes: a field that it does not know is an error, not a wish that goes unheard."""

    model_config = ConfigDict(extra="forbid")


class CheckEmailIn(In):
    email: Email


class CheckEmailOut(Schema):
    available: bool


class LoginIn(In):
    email: Email
    password: Password


class TokenPairOut(Schema):
    access_token: str
    refresh_token: str
    token_type: str


class RefreshIn(In):
    refresh_token: Token


class ProfileIn(In):
    """Everything is optional; what is left out stays as it is."""

    date_of_birth: Birthday | None = None
    learning_goal: Annotated[_Line, StringConstraints(max_length=500)] = ""
    study_level: Annotated[_Line, StringConstraints(max_length=100)] = ""
    grade: Annotated[_Line, StringConstraints(max_length=50)] = ""


class RegisterIn(In):
    email: Email
    password: Password
    full_name: Name
    locale: Locale = "en"
    time_zone: TimeZone = "UTC"


class RegisterWithOnboardingIn(RegisterIn):
    profile: ProfileIn = ProfileIn()
    subject_preferences: Subjects = []


class AccountIn(In):
    """Everything is optional; what is left out stays as it is."""

    full_name: Name = ""
    locale: Locale = ""
    time_zone: TimeZone = ""
    profile: ProfileIn = ProfileIn()
    subject_preferences: Subjects = []


class PasswordIn(In):
    current_password: Password
    new_password: Password


class ProfileOut(Schema):
    date_of_birth: date | None
    learning_goal: str
    study_level: str
    grade: str


class UserOut(Schema):
    id: int
    email: str
    is_email_verified: bool
    full_name: str
    locale: str
    time_zone: str
    current_streak_days: int
    last_activity_date: date | None
    created_at: datetime
    profile: ProfileOut
    subject_preferences: list[str]


class UniversityOut(Schema):
    """`role` is the highest that the caller holds there, or null for a university that they do not belong to."""

    slug: str
    name: str
    short_code: str
    country: str
    time_zone: str
    locale: str
    website: str
    accent: str
    is_open_to_join: bool
    role: str | None

    @staticmethod
    def resolve_country(university: University) -> str:
        return university.country.iso_code

    @staticmethod
    def resolve_role(university: University, context: Any) -> str | None:
        caller = getattr(context["request"], "auth", None)
        if isinstance(caller, User) and caller.is_platform_admin:
            return "platform_admin"
        return highest_of(getattr(university, "held_roles", []))


class DepartmentOut(Schema):
    code: str
    name: str


class CountryOut(Schema):
    iso_code: str
    name: str
    region: str
