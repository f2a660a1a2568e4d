"""Tokens that we did not make, or not for this: none of them opens anything, on the API or on a socket."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tenants.models import TokenFamily
from tenants.tokens import start_family
from tests.tutoring.live_case import PATIENCE_S, new_socket
from tests.world import World

pytestmark = pytest.mark.django_db

REFUSAL = {"detail": "This token is not valid, or no longer.", "code": "bad_token"}
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PEM = _RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


class Honest:
    """Sam's own claims and tokens, from which the others are made; Oona's, to take things from."""

    def __init__(self, world: World) -> None:
        pair, others = start_family(world.sam), start_family(world.oona)
        self.access, self.refresh, self.others = pair.access_token, pair.refresh_token, others.access_token
        self.claims: dict[str, Any] = jwt.decode(pair.access_token, options={"verify_signature": False})
        self.refresh_claims: dict[str, Any] = jwt.decode(pair.refresh_token, options={"verify_signature": False})
        self.oona, self.family = world.oona.pk, TokenFamily.objects.get(user=world.oona).pk

    def signed(
        self, header: dict[str, Any] | None = None, key: str = "", algorithm: str = "HS256", **claims: Any
    ) -> str:
        """With changed claims; None takes one away."""
        changed = {name: value for name, value in (self.claims | claims).items() if value is not None}
        return jwt.encode(changed, key or settings.JWT_SIGNING_KEY, algorithm, headers=header)

    def parts(self) -> list[str]:
        return self.access.split(".")


def segment(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(algorithm: object) -> Callable[[Honest], str]:
    return lambda honest: f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{honest.parts()[1]}."


def still_signed(header: object) -> Callable[[Honest], str]:
    """Under our own signature of another header."""
    return lambda honest: ".".join([segment(header), *honest.parts()[1:]])


def claiming(**claims: Any) -> Callable[[Honest], str]:
    """Signed with our key: what we would have to be tricked into making."""
    return lambda honest: honest.signed(**claims)


def _now(offset: int = 0) -> int:
    return int(timezone.now().timestamp()) + offset


FORGED: dict[str, Callable[[Honest], str]] = {
    # No signature, or somebody else's.
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg nOnE": unsigned("nOnE"),
    "alg empty": unsigned(""),
    "alg null": unsigned(None),
    "alg a list": unsigned(["HS256"]),
    "alg a number": unsigned(256),
    "no alg at all": still_signed({"typ": "JWT"}),
    "no header": lambda h: ".".join(["", *h.parts()[1:]]),
    "no signature": lambda h: ".".join([*h.parts()[:2], ""]),
    "two parts": lambda h: ".".join(h.parts()[:2]),
    "four parts": lambda h: f"{h.access}.{h.parts()[2]}",
    "five parts, as if encrypted": lambda h: ".".join([*h.parts(), "x", "y"]),
    "another key": lambda h: h.signed(key="k" * 40),
    "the key of pages": lambda h: h.signed(key=settings.SECRET_KEY.ljust(32, "0")),
    "a key with a space": lambda h: h.signed(key=settings.JWT_SIGNING_KEY + " "),
    "HS384 with our key": lambda h: h.signed(key=settings.JWT_SIGNING_KEY.ljust(64, "j"), algorithm="HS384"),
    "HS512 with our key": lambda h: h.signed(key=settings.JWT_SIGNING_KEY.ljust(64, "j"), algorithm="HS512"),
    "RS256": lambda h: h.signed(key=_PEM, algorithm="RS256"),
    "PS256": lambda h: h.signed(key=_PEM, algorithm="PS256"),
    "HS256 that says RS256": still_signed({"alg": "RS256", "typ": "JWT"}),
    "HS256 that says ES256": still_signed({"alg": "ES256", "typ": "JWT"}),
    "HS256 that says EdDSA": still_signed({"alg": "EdDSA", "typ": "JWT"}),
    "the signature of another token": lambda h: ".".join([*h.parts()[:2], h.others.split(".")[2]]),
    "another's payload under our signature": lambda h: ".".join([h.parts()[0], h.others.split(".")[1], h.parts()[2]]),
    "a signature cut short": lambda h: h.access[:-4],
    "a signature with a bit turned": lambda h: h.access[:-2] + ("A" if h.access[-2] != "A" else "B") + h.access[-1],
    # Headers that would have us fetch or believe a key.
    "jwk": lambda h: h.signed({"jwk": {"kty": "oct", "k": segment(b"k" * 40)}}, key="k" * 40),
    "jku": lambda h: h.signed({"jku": "http://127.0.0.1:9/keys"}, key="k" * 40),
    "x5u": lambda h: h.signed({"x5u": "http://127.0.0.1:9/cert"}, key="k" * 40),
    "kid a path": lambda h: h.signed({"kid": "../../../../dev/null"}, key="k" * 40),
    "kid SQL": lambda h: h.signed({"kid": "x' UNION SELECT 'k'--"}, key="k" * 40),
    "crit": lambda h: h.signed({"crit": ["exp"]}),
    "b64 false": lambda h: h.signed({"b64": False, "crit": ["b64"]}, key="k" * 40),
    # Ours, but not for this.
    "a refresh token": lambda h: h.refresh,
    "type missing": claiming(type=None),
    "type of another kind": claiming(type="admin"),
    "type a list": claiming(type=["access"]),
    "audience missing": claiming(aud=None),
    "another audience": claiming(aud="colloquy-admin"),
    "audience empty": claiming(aud=""),
    "issuer missing": claiming(iss=None),
    "another issuer": claiming(iss="https://evil.example"),
    "issuer with a slash more": claiming(iss=f"{settings.JWT_ISSUER}/"),
    "family missing": claiming(fam=None),
    "family of another": lambda h: h.signed(fam=str(h.family)),
    "family unknown": claiming(fam=str(uuid.uuid4())),
    "family no id": claiming(fam="1"),
    "family a list": claiming(fam=[]),
    "token id missing": claiming(jti=None),
    "token id no id": claiming(jti="x"),
    "person missing": claiming(sub=None),
    "another person": lambda h: h.signed(sub=str(h.oona)),
    "person no number": claiming(sub="sam"),
    "person beyond every number": claiming(sub="9" * 30),
    # Time.
    "expired": lambda h: h.signed(exp=_now(-1)),
    "expired long ago": claiming(exp=0),
    "exp missing": claiming(exp=None),
    "exp a word": claiming(exp="tomorrow"),
    "exp a list": claiming(exp=[1]),
    "exp without end": claiming(exp=float("inf")),
    "exp not a number": claiming(exp=float("nan")),
    "exp true": claiming(exp=True),
    "not yet": lambda h: h.signed(nbf=_now(600)),
    "made in the future": lambda h: h.signed(iat=_now(600)),
    # No token.
    "empty claims": lambda h: jwt.encode({}, settings.JWT_SIGNING_KEY, "HS256"),
    "claims a list": lambda h: f"{h.parts()[0]}.{segment([1])}.{h.parts()[2]}",
    "claims no JSON": lambda h: f"{h.parts()[0]}.{segment(b'{')}.{h.parts()[2]}",
    "header nested deeply": lambda h: f"{segment(b'[' * 500)}.{h.parts()[1]}.{h.parts()[2]}",
    "padding": lambda h: ".".join(f"{part}=" for part in h.parts()),
    "a letter beyond ASCII": lambda h: h.access[:-1] + "é",
    "longer than any": lambda h: h.signed(more="x" * 2000),
    "a NUL": lambda h: h.access + "\x00",
    "only dots": lambda _h: "..",
    "a word": lambda _h: "token",
}  # fmt: skip


@pytest.fixture
def honest(world: World) -> Honest:
    return Honest(world)


def asked_with(header: str) -> tuple[int, Any]:
    answer = Client().get("/api/v1/users/me", headers={"Authorization": header})
    return answer.status_code, answer.json()


def test_the_honest_one_is_accepted(honest: Honest, world: World) -> None:
    status, body = asked_with(f"Bearer {honest.access}")
    assert (status, body["email"]) == (200, "sam@north.example")
    assert honest.signed() != honest.others


def test_there_are_sixty() -> None:
    assert len(FORGED) >= 60


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_one_is_not(name: str, honest: Honest) -> None:
    assert asked_with(f"Bearer {FORGED[name](honest)}") == (401, REFUSAL)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{token}",
        "Basic {token}",
        "Token {token}",
        "Bearer",
        "Bearer {token} {token}",
        "Bearer  {token}x",
        "Bearer\t{token}",
    ],
)
def test_the_honest_one_elsewhere_in_the_header_is_not(header: str, honest: Honest) -> None:
    assert asked_with(header.format(token=honest.access))[0] == 401


def test_nor_anywhere_else_in_the_request(honest: Honest) -> None:
    client = Client()
    client.cookies["access_token"] = client.cookies["Authorization"] = honest.access
    address = f"/api/v1/users/me?access_token={honest.access}&token={honest.access}"
    answers = [client.get(address), client.get(address, headers={"X-Authorization": f"Bearer {honest.access}"})]
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["alg none", "another key", "a refresh token", "expired", "another person", "a word"])
def test_a_socket_is_closed(name: str, world: World) -> None:
    token = FORGED[name](Honest(world))

    async def code() -> int:
        socket = new_socket(f"/ws/tutor/{uuid.uuid4()}/", origin="", protocols=["colloquy.v1", f"bearer.{token}"])
        assert (await socket.connect(PATIENCE_S))[0]
        closed = await socket.receive_output(PATIENCE_S)
        await socket.disconnect(timeout=PATIENCE_S)
        return int(closed["code"])

    assert async_to_sync(code)() == 4401
