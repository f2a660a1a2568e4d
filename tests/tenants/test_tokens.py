import base64
import json
import uuid
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tenants import tokens
from tenants.errors import BadToken, EmailNotVerified
from tenants.models import AuditEntry, TokenFamily, User
from tests.world import World

ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126))


def ended(family: TokenFamily) -> list[tuple[object, object]]:
    entries = AuditEntry.objects.filter(action="token_family.ended", subject_id=str(family.pk))
    return [(entry.actor_id, entry.detail) for entry in entries]


class TestReading:
    def test_an_access_token_names_its_person_in_one_query(self, world: World, django_assert_num_queries) -> None:
        pair = tokens.start_family(world.sam)
        with django_assert_num_queries(1):
            assert tokens.user_for_access_token(pair.access_token) == world.sam

    def test_claims(self, world: World) -> None:
        pair = tokens.start_family(world.sam)
        family = TokenFamily.objects.get()
        access, refresh = (
            jwt.decode(token, options={"verify_signature": False}) for token in (pair.access_token, pair.refresh_token)
        )
        common = {
            "sub": str(world.sam.pk),
            "fam": str(family.pk),
            "iss": "http://127.0.0.1:8000",
            "aud": "colloquy-api",
            "iat": access["iat"],
        }
        assert access == common | {"type": "access", "jti": access["jti"], "exp": access["iat"] + 30 * 60}
        assert refresh == common | {
            "type": "refresh",
            "jti": str(family.refresh_id),
            "exp": int(family.expires_at.timestamp()),
        }
        assert access["jti"] != refresh["jti"]
        assert family.expires_at - family.created_at == pytest.approx(timedelta(days=7), abs=timedelta(seconds=5))

    def test_an_unverified_address_opens_nothing_unless_allowed(self, world: World) -> None:
        world.sam.emailaddress_set.update(verified=False)
        token = tokens.start_family(world.sam).access_token
        with pytest.raises(EmailNotVerified):
            tokens.user_for_access_token(token)
        assert tokens.user_for_access_token(token, allow_unverified=True) == world.sam

    def test_an_expired_access_token_is_refused(self, world: World, settings) -> None:
        settings.ACCESS_TOKEN_LIFETIME = timedelta(seconds=-1)
        with pytest.raises(BadToken):
            tokens.user_for_access_token(tokens.start_family(world.sam).access_token)

    def test_an_expired_family_takes_its_access_tokens_along(self, world: World) -> None:
        token = tokens.start_family(world.sam).access_token
        TokenFamily.objects.update(expires_at=timezone.now())
        with pytest.raises(BadToken):
            tokens.user_for_access_token(token)


class TestForged:
    """Everything here is refused in the same way, whatever is wrong with it."""

    @pytest.fixture
    def claims(self, world: World) -> dict[str, object]:
        family = TokenFamily.objects.create(
            user=world.sam,
            expires_at=timezone.now() + timedelta(days=1),
            password_digest=tokens._password_digest(world.sam),
        )
        return {
            "type": "access",
            "sub": str(world.sam.pk),
            "fam": str(family.pk),
            "jti": str(uuid.uuid4()),
            "iss": settings.JWT_ISSUER,
            "aud": settings.JWT_AUDIENCE,
            "exp": int(timezone.now().timestamp()) + 60,
        }

    def sign(self, claims: dict[str, object], key: str = settings.JWT_SIGNING_KEY, algorithm: str = "HS256") -> str:
        return jwt.encode(claims, key, algorithm)

    def refused(self, token: str) -> bool:
        with pytest.raises(BadToken):
            tokens.user_for_access_token(token)
        return True

    def test_the_same_claims_signed_by_us_are_good(self, claims: dict[str, object], world: World) -> None:
        assert tokens.user_for_access_token(self.sign(claims)) == world.sam

    @pytest.mark.parametrize(
        "change",
        [
            {"type": "refresh"},
            {"type": "ACCESS"},
            {"type": None},
            {"type": ["access"]},
            {"aud": "another-api"},
            {"aud": ["another-api"]},
            {"iss": "https://elsewhere.example"},
            {"exp": 1},
            {"exp": "soon"},
            {"nbf": 32503680000},
            {"fam": str(uuid.uuid4())},
            {"fam": "not-a-uuid"},
            {"fam": 7},
            {"fam": None},
            {"fam": {"id": 1}},
            {"jti": "x"},
            {"jti": None},
        ],
    )
    def test_a_changed_claim(self, claims: dict[str, object], change: dict[str, object]) -> None:
        assert self.refused(self.sign(claims | change))

    @pytest.mark.parametrize("missing", ["type", "aud", "iss", "exp", "fam", "jti"])
    def test_a_missing_claim(self, claims: dict[str, object], missing: str) -> None:
        del claims[missing]
        assert self.refused(self.sign(claims))

    def test_another_key(self, claims: dict[str, object]) -> None:
        assert self.refused(self.sign(claims, key="k" * 40))
        assert self.refused(self.sign(claims, key="s" * 40 + settings.SECRET_KEY))

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_another_algorithm_with_our_key(self, claims: dict[str, object], algorithm: str) -> None:
        assert self.refused(self.sign(claims, key=settings.JWT_SIGNING_KEY * 2, algorithm=algorithm))

    def test_no_algorithm(self, claims: dict[str, object]) -> None:
        unsigned = jwt.encode(claims, None, "none")
        assert self.refused(unsigned)
        assert self.refused(unsigned + self.sign(claims).rpartition(".")[2])

    def test_a_changed_payload_under_an_old_signature(self, claims: dict[str, object], world: World) -> None:
        head, _, signature = self.sign(claims).split(".")
        payload = base64.urlsafe_b64encode(json.dumps(claims | {"sub": str(world.ada.pk)}).encode()).rstrip(b"=")
        assert self.refused(f"{head}.{payload.decode()}.{signature}")

    def test_too_long(self, claims: dict[str, object]) -> None:
        assert self.refused(self.sign(claims | {"padding": "x" * 1000}))

    def test_deeply_nested_header(self) -> None:
        header = base64.urlsafe_b64encode(b"[" * 700).decode()
        assert self.refused(f"{header}.e30.e30")

    @pytest.mark.parametrize("garbage", ["", ".", "..", "a.b.c", "null", "é.é.é", "\x00", "e30.e30.e30", "[]", "  "])
    def test_garbage(self, garbage: str) -> None:
        assert self.refused(garbage)

    @given(st.one_of(st.text(), ASCII, st.lists(ASCII, min_size=3, max_size=3).map(".".join)))
    def test_any_text(self, text: str) -> None:
        assert self.refused(text)

    @given(st.binary(max_size=100), st.binary(max_size=100))
    def test_any_bytes_in_the_right_places(self, header: bytes, payload: bytes) -> None:
        head, body = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload))
        assert self.refused(f"{head}.{body}.e30")


class TestRefreshing:
    def test_gives_a_new_pair_and_keeps_the_old_access_token(self, world: World) -> None:
        first = tokens.start_family(world.sam)
        second = tokens.refresh(first.refresh_token)
        assert len({first.access_token, first.refresh_token, second.access_token, second.refresh_token}) == 4
        assert tokens.user_for_access_token(first.access_token) == world.sam
        assert tokens.user_for_access_token(second.access_token) == world.sam
        assert tokens.refresh(second.refresh_token)

    def test_lengthens_the_family(self, world: World) -> None:
        pair = tokens.start_family(world.sam)
        TokenFamily.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        tokens.refresh(pair.refresh_token)
        left = TokenFamily.objects.get().expires_at - timezone.now()
        assert left == pytest.approx(timedelta(days=7), abs=timedelta(seconds=5))

    def test_a_spent_token_ends_the_family(self, world: World) -> None:
        first = tokens.start_family(world.sam)
        second = tokens.refresh(first.refresh_token)
        with pytest.raises(BadToken):
            tokens.refresh(first.refresh_token)
        with pytest.raises(BadToken):
            tokens.refresh(second.refresh_token)
        for pair in (first, second):
            with pytest.raises(BadToken):
                tokens.user_for_access_token(pair.access_token)
        family = TokenFamily.objects.get()
        assert family.revoked_reason == "reused"
        assert ended(family) == [(None, {"reason": "reused"})]

    def test_another_sign_in_of_the_person_lives_on(self, world: World) -> None:
        other = tokens.start_family(world.sam)
        first = tokens.start_family(world.sam)
        tokens.refresh(first.refresh_token)
        with pytest.raises(BadToken):
            tokens.refresh(first.refresh_token)
        assert tokens.user_for_access_token(other.access_token) == world.sam

    def test_an_access_token_does_not_refresh(self, world: World) -> None:
        with pytest.raises(BadToken):
            tokens.refresh(tokens.start_family(world.sam).access_token)

    def test_an_expired_family_does_not_refresh_and_is_no_reuse(self, world: World) -> None:
        pair = tokens.start_family(world.sam)
        TokenFamily.objects.update(expires_at=timezone.now())
        with pytest.raises(BadToken):
            tokens.refresh(pair.refresh_token)
        assert TokenFamily.objects.get().revoked_at is None

    def test_a_deleted_person(self, world: World) -> None:
        pair = tokens.start_family(world.oona)
        User.objects.filter(pk=world.oona.pk).delete()
        for use in (
            lambda: tokens.refresh(pair.refresh_token),
            lambda: tokens.user_for_access_token(pair.access_token),
        ):
            with pytest.raises(BadToken):
                use()

    def test_an_inactive_person(self, world: World) -> None:
        pair = tokens.start_family(world.sam)
        User.objects.filter(pk=world.sam.pk).update(is_active=False)
        with pytest.raises(BadToken):
            tokens.user_for_access_token(pair.access_token)
        with pytest.raises(BadToken):
            tokens.refresh(pair.refresh_token)
        assert TokenFamily.objects.get().revoked_reason == "owner_not_entitled"


class TestEnding:
    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_either_token_signs_out_and_may_do_so_again(self, world: World, kind: str) -> None:
        pair = tokens.start_family(world.sam)
        tokens.end_family(getattr(pair, kind))
        tokens.end_family(getattr(pair, kind))
        with pytest.raises(BadToken):
            tokens.user_for_access_token(pair.access_token)
        with pytest.raises(BadToken):
            tokens.refresh(pair.refresh_token)
        assert ended(TokenFamily.objects.get()) == [(world.sam.pk, {"reason": "logout"})]

    def test_a_password_changed_behind_our_back_ends_it_too(self, world: World) -> None:
        pair = tokens.start_family(world.sam)
        world.sam.set_password("another password")
        world.sam.save()
        with pytest.raises(BadToken):
            tokens.user_for_access_token(pair.access_token)
        with pytest.raises(BadToken):
            tokens.refresh(pair.refresh_token)

    def test_a_sign_in_that_overlaps_a_change_of_password_is_born_dead(self, world: World) -> None:
        checked = User.objects.get(pk=world.sam.pk)
        world.sam.set_password("another password")
        world.sam.save()
        with pytest.raises(BadToken):
            tokens.user_for_access_token(tokens.start_family(checked).access_token)
