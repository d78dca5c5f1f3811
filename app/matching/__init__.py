"""Bank Match AI: which bank transaction belongs to which GL entry, how surely, and why.

Pure: no Flask, no SQLAlchemy, no Redis.  `match` and `rank` take and give the frozen records of
`records`; whoever calls decides what a score means for the books.
"""

from app.matching.engine import match, rank
from app.matching.model import Model, ModelInvalid, load_model
from app.matching.records import (
    Contribution,
    Decision,
    Item,
    MatchOptions,
    MatchResult,
    Outcome,
    ScoredPair,
    Tier,
)

__all__ = [
    "Contribution",
    "Decision",
    "Item",
    "MatchOptions",
    "MatchResult",
    "Model",
    "ModelInvalid",
    "Outcome",
    "ScoredPair",
    "Tier",
    "load_model",
    "match",
    "rank",
]
