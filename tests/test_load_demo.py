import pytest
from django.core.management import CommandError, call_command

from lms.courses.models import ContentItem, Course
from lms.learning.models import Enrollment
from tenants.models import Membership, User


@pytest.mark.django_db
def test_what_people_have_changed_stays_as_they_left_it():
    call_command("load_demo")
    assert sorted(Course.objects.values_list("university__slug", "status")) == [
        ("north", "published"),
        ("south", "published"),
    ]
    assert ContentItem.objects.count() == 44
    Course.objects.update(status=Course.Status.DRAFT)
    Enrollment.objects.update(status=Enrollment.Status.DROPPED)
    Membership.objects.filter(user__email="ada@north.example").delete()
    before = (User.objects.count(), ContentItem.objects.count())

    call_command("load_demo")
    assert set(Course.objects.values_list("status", flat=True)) == {"draft"}
    assert set(Enrollment.objects.values_list("status", flat=True)) == {"dropped"}
    assert not Membership.objects.filter(user__email="ada@north.example").exists()
    assert (User.objects.count(), ContentItem.objects.count()) == before


@pytest.mark.django_db
def test_it_makes_no_known_passwords_on_a_real_site(settings):
    settings.IS_HTTPS = True
    with pytest.raises(CommandError):
        call_command("load_demo")
    assert User.objects.count() == 0
