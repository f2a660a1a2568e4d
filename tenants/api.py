"""API groups auth, users and universities."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router
from ninja.pagination import paginate

from tenants import actions, queries, schemas, tokens
from tenants.access import access_joinable_university, access_university
from tenants.accounts import authenticate, send_verification_mail, throttle
from tenants.auth import BearerAuth
from tenants.errors import NotSignedIn, WrongPassword
from tenants.models import Country, Department, University, User
from tenants.pagination import Pages
from tenants.requests import signed_in

anybody = BearerAuth(allow_unverified=True)

auth_router = Router(tags=["auth"], auth=None)
users_router = Router(tags=["users"], auth=anybody)
universities_router = Router(tags=["universities"], auth=BearerAuth())
countries_router = Router(tags=["universities"], auth=None)


@auth_router.post("/check-email", response=schemas.CheckEmailOut)
def check_email(request: HttpRequest, payload: schemas.CheckEmailIn) -> dict[str, bool]:
    """Whether an account with this address may be made. Few tries for each caller."""
    throttle(request, "api_check_email")
    return {"available": queries.is_email_available(payload.email)}


@auth_router.post("/register", response={201: schemas.TokenPairOut})
def register(request: HttpRequest, payload: schemas.RegisterIn) -> tokens.TokenPair:
    """Make an account and sign in. Until the address is verified the tokens reach the person's own data only."""
    return _register(request, payload, None)


@auth_router.post("/register-with-onboarding", response={201: schemas.TokenPairOut})
def register_with_onboarding(request: HttpRequest, payload: schemas.RegisterWithOnboardingIn) -> tokens.TokenPair:
    """The same, with what the person says about themselves."""
    return _register(request, payload, _profile_changes(payload))


def _register(
    request: HttpRequest, payload: schemas.RegisterIn, profile: actions.ProfileChanges | None
) -> tokens.TokenPair:
    throttle(request, "api_register")
    throttle(request, "signup_address", key=payload.email)
    account = actions.AccountChanges(full_name=payload.full_name, locale=payload.locale, time_zone=payload.time_zone)
    user = actions.register(email=payload.email, password=payload.password, account=account, profile=profile)
    send_verification_mail(request, user)
    return actions.sign_in_with_tokens(user=user)


@auth_router.post("/login", response=schemas.TokenPairOut)
def login(request: HttpRequest, payload: schemas.LoginIn) -> tokens.TokenPair:
    return actions.sign_in_with_tokens(user=authenticate(request, payload.email, payload.password))


@auth_router.post("/refresh", response=schemas.TokenPairOut)
def refresh(request: HttpRequest, payload: schemas.RefreshIn) -> tokens.TokenPair:
    """A new pair for a refresh token, which is spent by it. Using a spent one ends the whole sign-in."""
    return tokens.refresh(payload.refresh_token)


@auth_router.post("/logout", response={204: None})
def logout(request: HttpRequest, payload: schemas.RefreshIn | None = None) -> None:
    """End the sign-in named by the refresh token in the body, or else by the access token of the header."""
    tokens.end_family(payload.refresh_token if payload else _bearer_token(request))


def _bearer_token(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn
    return token


@auth_router.post("/verification-mail", response={204: None}, auth=anybody)
def verification_mail(request: HttpRequest) -> None:
    """Send the link again; nothing happens when the address is verified already."""
    user = signed_in(request)
    throttle(request, "confirm_email", key=user.email.lower())
    send_verification_mail(request, user)


@users_router.get("/me", response=schemas.UserOut)
def me(request: HttpRequest) -> dict[str, Any]:
    return _account(signed_in(request))


@users_router.patch("/me", response=schemas.UserOut)
def update_me(request: HttpRequest, payload: schemas.AccountIn) -> dict[str, Any]:
    """Change the values that are given."""
    account: Any = payload.dict(exclude_unset=True, include=actions.AccountChanges.__annotations__.keys())
    return _account(actions.update_account(by=signed_in(request), account=account, profile=_profile_changes(payload)))


@users_router.post("/me/password", response={204: None})
def change_password(request: HttpRequest, payload: schemas.PasswordIn) -> None:
    """Ends every sign-in everywhere, this one too."""
    user = signed_in(request)
    throttle(request, "change_password", user=user)
    if not user.check_password(payload.current_password):
        raise WrongPassword
    actions.change_password(by=user, user=user, password=payload.new_password)


def _profile_changes(payload: schemas.RegisterWithOnboardingIn | schemas.AccountIn) -> actions.ProfileChanges:
    changes: Any = payload.profile.dict(exclude_unset=True)
    if "subject_preferences" in payload.model_fields_set:
        changes["subject_preferences"] = payload.subject_preferences
    return changes  # type: ignore[no-any-return] # the schema has exactly these fields


def _account(user: User) -> dict[str, Any]:
    profile = queries.profile_of(user)
    return {
        "id": user.pk,
        "email": user.email,
        "is_email_verified": queries.has_verified_email(user),
        "full_name": user.full_name,
        "locale": user.locale,
        "time_zone": user.time_zone,
        "current_streak_days": user.current_streak_days,
        "last_activity_date": user.last_activity_date,
        "created_at": user.created_at,
        "profile": profile,
        "subject_preferences": profile.subject_preferences,
    }


@universities_router.get("", response=list[schemas.UniversityOut])
@paginate(Pages)
def my_universities(request: HttpRequest) -> QuerySet[University]:
    """Those that the caller belongs to, by name."""
    return queries.universities_of(signed_in(request))


@universities_router.get("/open", response=list[schemas.UniversityOut], auth=None)
@paginate(Pages)
def open_universities(request: HttpRequest) -> QuerySet[University]:
    """Those that anybody may join, by name; for people who have no account yet, too."""
    return queries.joinable_universities()


@universities_router.get("/{slug:slug}", response=schemas.UniversityOut)
def university(request: HttpRequest, slug: str) -> University:
    return access_university(signed_in(request), slug)


@universities_router.post("/{slug:slug}/join", response=schemas.UniversityOut)
def join(request: HttpRequest, slug: str) -> University:
    """Become a student there; for a member nothing changes, so that it may be sent again."""
    user = signed_in(request)
    actions.join_university(by=user, university=access_joinable_university(user, slug))
    return access_university(user, slug)


@universities_router.get("/{slug:slug}/departments", response=list[schemas.DepartmentOut])
@paginate(Pages)
def departments(request: HttpRequest, slug: str) -> QuerySet[Department]:
    return queries.departments_of(access_university(signed_in(request), slug))


@countries_router.get("", response=list[schemas.CountryOut])
@paginate(Pages)
def countries(request: HttpRequest) -> QuerySet[Country]:
    """By name; open to everybody."""
    return queries.countries()
