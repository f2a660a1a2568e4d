"""Forms of the account pages. Their labels and errors are read by people."""

import zoneinfo
from typing import Any

from allauth.account.forms import SignupForm as AccountSignupForm
from allauth.core import context
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants import actions
from tenants.accounts import throttle
from tenants.models import University, User
from tenants.queries import joinable_universities, profile_of


class SignupForm(AccountSignupForm):  # type: ignore[misc] # allauth is not typed
    """An account, and at the same time the membership in the university that was chosen."""

    field_order = ["full_name", "email", "password1", "university"]

    full_name = forms.CharField(
        label=_("Full name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    university = forms.ModelChoiceField(
        label=_("University"),
        queryset=University.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=_("None for now"),
    )

    account_already_exists: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["university"].queryset = joinable_universities()
        # allauth gives this form no request; the invitation of a university is in its address.
        self.fields["university"].initial = context.request.GET.get("university", "")

    def try_save(self, request: HttpRequest) -> Any:
        """For an address that is taken everything looks and lasts the same, and its owner gets a mail about it."""
        throttle(request, "signup_address", key=self.cleaned_data["email"].lower())
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
            return super().try_save(request)
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            # Somebody else took the address between the check and the save.
            self.account_already_exists = True
            return super().try_save(request)

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        super().custom_signup(request, user)
        university = self.cleaned_data["university"]
        if university:
            actions.become_student(user=user, university=university)


def _time_zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class ProfileForm(forms.Form):
    """What a person says about themselves."""

    full_name = forms.CharField(
        label=_("Full name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_time_zones)
    date_of_birth = forms.DateField(
        label=_("Date of birth"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "bday"}),
    )
    learning_goal = forms.CharField(
        label=_("What I want to learn"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    study_level = forms.CharField(label=_("Level of study"), max_length=100, required=False)
    grade = forms.CharField(label=_("Year or grade"), max_length=50, required=False)
    subject_preferences = forms.CharField(
        label=_("Subjects I like"), max_length=500, required=False, help_text=_("Separated by commas.")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        profile = profile_of(user)
        initial = {name: getattr(user, name) for name in actions.AccountChanges.__annotations__}
        initial |= {name: getattr(profile, name) for name in actions.ProfileChanges.__annotations__}
        initial["subject_preferences"] = ", ".join(profile.subject_preferences)
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        self._keep_unlisted("locale", user.locale)
        self._keep_unlisted("time_zone", user.time_zone)

    def _keep_unlisted(self, name: str, value: str) -> None:
        """A value that the API took and this page does not offer stays as it is until it is changed."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # for mypy: both names are of such fields
        listed = list(field.choices)  # type: ignore[arg-type]
        if value not in dict(listed):
            field.choices = [(value, value), *listed]

    def clean_date_of_birth(self) -> Any:
        born = self.cleaned_data["date_of_birth"]
        if born and not 1900 <= born.year <= timezone.now().year:
            raise forms.ValidationError(_("Please check the year."))
        return born

    def clean_subject_preferences(self) -> list[str]:
        parts = [part.strip() for part in self.cleaned_data["subject_preferences"].split(",")]
        return list(dict.fromkeys(part for part in parts if part))

    def save(self, user: User) -> None:
        data = self.cleaned_data
        actions.update_account(
            by=user,
            account=actions.AccountChanges(
                full_name=data["full_name"], locale=data["locale"], time_zone=data["time_zone"]
            ),
            profile=actions.ProfileChanges(
                date_of_birth=data["date_of_birth"],
                learning_goal=data["learning_goal"],
                study_level=data["study_level"],
                grade=data["grade"],
                subject_preferences=data["subject_preferences"],
            ),
        )
