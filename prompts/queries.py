"""Reads: prompts as a university finds them, compiled ones, and what no longer compiles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet

from prompts.composition import (
    MAX_LEVELS,
    CompiledPrompt,
    Lookup,
    Reference,
    StoredVersion,
    UsedVersion,
    compose,
    malformed_tags,
    references,
    variables_in,
)
from prompts.errors import CompositionError, MissingPrompt
from prompts.models import Prompt, PromptLabel, PromptVersion, seen_from
from prompts.rules import LATEST, PRODUCTION, Body, is_label, is_name
from tenants.errors import NotVisible
from tenants.models import University

_EVERYWHERE = Q()
# The columns of a `StoredVersion`, in its order.
_STORED = ("id", "prompt__name", "prompt__type", "number", "body", "config")


class Shelf:
    """Versions in memory, found as a university finds them: its own by that name and label, then the platform's."""

    def __init__(self) -> None:
        self._versions: dict[tuple[int | None, Reference], StoredVersion] = {}

    def put(self, university_id: int | None, reference: Reference, version: StoredVersion) -> None:
        self._versions[university_id, reference] = version

    def lookup(self, university_id: int | None) -> Lookup:
        def find(reference: Reference) -> StoredVersion | None:
            own = self._versions.get((university_id, reference))
            return own or self._versions.get((None, reference))

        return find


def compile_prompt(*, name: str, label: str = PRODUCTION, university: University | None) -> CompiledPrompt:
    """The prompt as this university has it now; raise a `CompositionError` (409) when it has none that compiles.

    One query for each level of the composition, five at most.
    """
    return compile_reference(Reference(name, label=label), university)


def compile_reference(reference: Reference, university: University | None) -> CompiledPrompt:
    university_id = university.pk if university else None
    return compose(reference, _shelf([reference], seen_from(university_id)).lookup(university_id))


def recompile(used: Sequence[Mapping[str, Any]]) -> CompiledPrompt:
    """The same text again from the versions it was made of, as `UsedVersion.as_json` wrote them; one query."""
    uses = [UsedVersion.from_json(entry) for entry in used]
    if not uses:
        raise MissingPrompt("No version was recorded.")
    rows = PromptVersion.objects.filter(pk__in=[use.id for use in uses]).values_list(*_STORED)
    stored = {version.id: version for version in (StoredVersion(*row) for row in rows)}
    found = {use.reference: stored.get(use.id) for use in uses}
    return compose(uses[0].reference, found.get)


def stored_version(reference: Reference, university: University | None) -> PromptVersion:
    """One version as it was written, the university's own before the platform's, or `NotVisible`. One query."""
    if not is_name(reference.name) or (reference.label is not None and not is_label(reference.label)):
        raise NotVisible
    if reference.label == LATEST:
        wanted = Q(number=F("prompt__latest_number"))
    elif reference.label is not None:
        wanted = Q(labels__name=reference.label)
    else:
        wanted = Q(number=reference.number)
    versions = PromptVersion.objects.filter(seen_from(university.pk if university else None), wanted)
    found = (
        versions.filter(prompt__name=reference.name)
        .select_related("prompt__university", "created_by")
        .prefetch_related("labels")
        .order_by(F("university").asc(nulls_last=True))
        .first()
    )
    if found is None:
        raise NotVisible
    return found


@dataclass(frozen=True)
class Reading:
    """A version for people to look at. `includes` are the tags as written, or resolved with the numbers they led to."""

    version: PromptVersion
    is_resolved: bool
    body: Body
    includes: list[Reference]
    variables: list[str]
    hash: str | None


def read_prompt(reference: Reference, university: University | None, *, is_resolved: bool) -> Reading:
    """`NotVisible` where there is none; a `CompositionError` (409) where it should be resolved and does not compile."""
    version = stored_version(reference, university)
    if not is_resolved:
        return Reading(version, False, version.body, references(version.body), variables_in(version.body), None)
    compiled = compile_reference(reference, university)
    parts = [replace(use.reference, number=use.number) for use in compiled.versions[1:]]
    return Reading(version, True, compiled.body, parts, variables_in(compiled.body), compiled.hash)


def prompts_for(
    university: University | None, *, prefix: str = "", tag: str | None = None, label: str | None = None
) -> QuerySet[Prompt]:
    """By name, the university's own before the platform's of the same name. Labels carry their version's `number`."""
    prompts = Prompt.objects.seen_from(university).filter(name__startswith=prefix)
    if tag is not None:
        prompts = prompts.filter(tags__contains=[tag])
    if label is not None and label != LATEST:
        prompts = prompts.filter(labels__name=label)
    numbered = PromptLabel.objects.annotate(number=F("version__number"))
    ordered = prompts.order_by("name", F("university").asc(nulls_last=True))
    return ordered.select_related("university").prefetch_related(Prefetch("labels", numbered))


def versions_for(university: University | None, name: str) -> QuerySet[PromptVersion]:
    """Newest first: of the university's own prompt where it has one, else of the platform's; else `NotVisible`."""
    own_first = Prompt.objects.seen_from(university).order_by(F("university").asc(nulls_last=True))
    prompt = own_first.filter(name=name).first() if is_name(name) else None
    if prompt is None:
        raise NotVisible
    return prompt.versions.select_related("prompt__university", "created_by").prefetch_related("labels")


def broken_labels(university: University | None) -> dict[tuple[str | None, Reference], str]:
    """Live labels that do not compile, with the reason, by the slug of the university that sees them so.

    For a university what it sees itself; for None what the platform and every university with prompts of its own see.
    Four queries, however many prompts there are; a few more where tags name versions by number.
    """
    scope = seen_from(university.pk) if university else _EVERYWHERE
    roots = _live_references(scope)
    shelf = _shelf(roots, scope)
    broken = {}
    for university_id, slug in _viewpoints(university):
        lookup = shelf.lookup(university_id)
        for root in roots:
            reason = _reason_broken(root, lookup)
            if reason:
                broken[slug, root] = reason
    return broken


def findings() -> list[str]:
    """What is wrong with live prompts anywhere, a sentence each: malformed tags first, then what does not compile."""
    slugs: dict[int | None, str | None] = dict(University.objects.values_list("pk", "slug"))
    malformed = {
        f"{_placed(reference, slugs.get(university_id))} has a malformed tag: {tag}"
        for university_id, reference, version in _fetch(_live_references(_EVERYWHERE), _EVERYWHERE)
        for tag in malformed_tags(version.body)
    }
    broken = [
        f"{_placed(root, slug)} does not compile: {reason}" for (slug, root), reason in broken_labels(None).items()
    ]
    return sorted(malformed) + broken


def _placed(reference: Reference, slug: str | None) -> str:
    return f"{reference} at {slug}" if slug else f"{reference} of the platform"


def _reason_broken(root: Reference, lookup: Lookup) -> str | None:
    if lookup(root) is None:
        return None  # another university's, which this one does not see
    try:
        compose(root, lookup)
    except CompositionError as error:
        return error.detail
    return None


def _viewpoints(university: University | None) -> list[tuple[int | None, str | None]]:
    """Those whose compiled prompts a change of this university's, or for None of the platform's, could alter."""
    if university:
        return [(university.pk, university.slug)]
    with_own = University.objects.filter(prompts__isnull=False).distinct().order_by("slug")
    return [(None, None), *with_own.values_list("pk", "slug")]


def _live_references(scope: Q) -> list[Reference]:
    labelled = PromptLabel.objects.filter(scope).values_list("prompt__name", "name").distinct()
    latest = Prompt.objects.filter(scope, latest_number__gt=0).values_list("name", flat=True).distinct()
    return sorted({Reference(name, label=label) for name, label in labelled}, key=str) + sorted(
        {Reference(name, label=LATEST) for name in latest}, key=str
    )


def _shelf(roots: Iterable[Reference], scope: Q) -> Shelf:
    """The roots and all that they reach, breadth first: one query for each level, in which everything is asked once."""
    shelf = Shelf()
    asked: set[Reference] = set()
    wanted = set(roots)
    for _level in range(MAX_LEVELS):
        if not wanted:
            break
        asked |= wanted
        reached: set[Reference] = set()
        for university_id, reference, version in _fetch(wanted, scope):
            shelf.put(university_id, reference, version)
            reached.update(references(version.body))
        wanted = reached - asked
    return shelf


def _fetch(wanted: Iterable[Reference], scope: Q) -> Iterator[tuple[int | None, Reference, StoredVersion]]:
    """Stored versions that the references name, in any university of the scope; one query."""
    wanted = set(wanted)
    asked = Q(labels__name__in={reference.label for reference in wanted if reference.label})
    asked |= Q(number__in={reference.number for reference in wanted if reference.number})
    if any(reference.label == LATEST for reference in wanted):
        asked |= Q(number=F("prompt__latest_number"))
    versions = PromptVersion.objects.filter(scope, asked, prompt__name__in={reference.name for reference in wanted})
    rows = versions.values_list("university_id", "labels__name", "prompt__latest_number", *_STORED)
    for university_id, label, latest_number, *columns in rows:
        version = StoredVersion(*columns)
        standing = {Reference(version.name, number=version.number), Reference(version.name, label=label)}
        if version.number == latest_number:
            standing.add(Reference(version.name, label=LATEST))
        for reference in standing & wanted:
            yield university_id, reference, version
