"""Prompts over the API: `?university=<slug>` says whose; without it the platform's own, for its administrators.

A prompt's name holds slashes, so it comes last in the path, after a word that says what is asked of it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status
from ninja.pagination import paginate

from prompts import actions, queries
from prompts.access import access_own_prompt, access_prompts
from prompts.composition import Reference
from prompts.models import Prompt, PromptLabel, PromptVersion
from prompts.schemas import (
    LabelIn,
    LabelOut,
    PromptIn,
    PromptOut,
    ReadOut,
    VersionIn,
    VersionNumber,
    VersionOut,
)
from tenants.errors import InvalidInput
from tenants.pagination import Pages
from tenants.platform import platform
from tenants.requests import signed_in

router = Router(tags=["prompts"])

Slug = Annotated[str | None, Query(pattern=r"^[-a-zA-Z0-9_]+$", max_length=50)]
Text = Annotated[str | None, Query(pattern=r"^[^\x00]*$", max_length=200)]
# Named otherwise inside because "resolve" is a method of the class that the parameters are gathered in.
Resolve = Annotated[bool, Query(alias="resolve")]


@router.get("", response=list[PromptOut], summary="List prompts")
@paginate(Pages)
def list_prompts(
    request: HttpRequest, university: Slug = None, prefix: Text = None, tag: Text = None, label: Text = None
) -> QuerySet[Prompt]:
    """The university's own and the platform's, by name; `prefix` is the beginning of a name, such as a folder."""
    whose = access_prompts(signed_in(request), university)
    return queries.prompts_for(whose, prefix=prefix or "", tag=tag, label=label)


@router.post("", response={201: VersionOut}, summary="Create a prompt")
def create_prompt(request: HttpRequest, payload: PromptIn, university: Slug = None) -> Status[PromptVersion]:
    """The prompt with its first version. Labels that are given are put on it."""
    with _writing(request, university):
        version = actions.create_prompt(
            by=signed_in(request),
            university=access_prompts(signed_in(request), university),
            name=payload.name,
            type=payload.type,
            body=payload.plain_body(),
            config=payload.config,
            tags=payload.tags,
            description=payload.description,
            commit_message=payload.commit_message,
            labels=payload.labels,
        )
    return Status(201, version)


@router.get("/named/{path:name}", response=ReadOut, summary="Read a prompt")
def read_prompt(
    request: HttpRequest,
    name: str,
    university: Slug = None,
    label: Text = None,
    version: VersionNumber | None = None,
    is_resolved: Resolve = True,
) -> queries.Reading:
    """By label (`production` unless named) or by version number; the university's own before the platform's."""
    whose = access_prompts(signed_in(request), university)
    if label is not None and version is not None:
        raise InvalidInput("Ask for a label or for a version, not for both.")
    reference = Reference.by(name, label=label, version=version)
    return queries.read_prompt(reference, whose, is_resolved=is_resolved)


@router.get("/versions/{path:name}", response=list[VersionOut], summary="List a prompt's versions")
@paginate(Pages)
def list_versions(request: HttpRequest, name: str, university: Slug = None) -> QuerySet[PromptVersion]:
    """Newest first: of the university's own prompt where it has one of this name, otherwise of the platform's."""
    return queries.versions_for(access_prompts(signed_in(request), university), name)


@router.post("/versions/{path:name}", response={201: VersionOut}, summary="Add a version")
def add_version(request: HttpRequest, name: str, payload: VersionIn, university: Slug = None) -> Status[PromptVersion]:
    """The next version of the university's own prompt. Labels that are given are moved to it."""
    with _writing(request, university):
        version = actions.add_version(
            by=signed_in(request),
            prompt=access_own_prompt(signed_in(request), university, name),
            body=payload.plain_body(),
            config=payload.config,
            commit_message=payload.commit_message,
            labels=payload.labels,
        )
    return Status(201, version)


@router.put("/labels/{label}/{path:name}", response=LabelOut, summary="Move a label")
def move_label(request: HttpRequest, label: str, name: str, payload: LabelIn, university: Slug = None) -> PromptLabel:
    """Refused with 409 when any prompt that works now would no longer compile."""
    with _writing(request, university):
        prompt = access_own_prompt(signed_in(request), university, name)
        return actions.move_label(by=signed_in(request), prompt=prompt, label=label, number=payload.version)


@router.delete("/labels/{label}/{path:name}", response={204: None}, summary="Take a label away")
def delete_label(request: HttpRequest, label: str, name: str, university: Slug = None) -> Status[None]:
    """The platform's prompt of the same name and label, if there is one, is found again."""
    with _writing(request, university):
        prompt = access_own_prompt(signed_in(request), university, name)
        actions.delete_label(by=signed_in(request), prompt=prompt, label=label)
    return Status(204, None)


def _writing(request: HttpRequest, university: str | None) -> AbstractContextManager[None]:
    """At the university that is named; what is the platform's own, only its connection writes."""
    user = signed_in(request)
    if university is None and user.is_platform_admin:
        return platform(by=user, why=f"prompts: {request.method} {request.path}")
    return nullcontext()
