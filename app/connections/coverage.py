"""Which bank is reached how, asked before anybody connects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from app.aggregators.contract import AggregatorError, Coverage
from app.connections.sources import aggregators
from app.kernel.errors import Invalid
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission

QUERY_CHARACTERS_MIN: Final = 2
QUERY_CHARACTERS_MAX: Final = 80

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """A bank, and the aggregator that reaches it."""

    aggregator: str
    aggregator_title: str
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class CoverageAnswer:
    """What all aggregators know of a name.

    Args:
        silent: Titles of the aggregators that did not answer: the list may lack theirs.
    """

    reached: tuple[Reach, ...]
    silent: tuple[str, ...]


def search_coverage(actor: Actor, query: str) -> CoverageAnswer:
    """Ask every aggregator of this installation who has a bank of this name.

    Raises:
        Forbidden: The actor may not even view.
        Invalid: The name is too short or too long.
    """
    actor.require(Permission.VIEW)
    query = " ".join(query.split())
    if not QUERY_CHARACTERS_MIN <= len(query) <= QUERY_CHARACTERS_MAX:
        sentence = (
            f"Give {QUERY_CHARACTERS_MIN} to {QUERY_CHARACTERS_MAX} characters of the bank's name."
        )
        raise Invalid(sentence, {"query": [sentence]})
    reached: list[Reach] = []
    silent: list[str] = []
    for name, aggregator in aggregators().items():  # in the order of preference
        try:
            found = aggregator.search_institutions(query)
        except AggregatorError as error:
            _log.warning("coverage_unknown", aggregator=name, code=error.code)
            silent.append(aggregator.title)
        else:
            reached += [Reach(name, aggregator.title, coverage) for coverage in found]
    reached.sort(key=lambda reach: reach.coverage.institution.name.casefold())
    return CoverageAnswer(tuple(reached), tuple(silent))
