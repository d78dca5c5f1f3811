"""The worlds: six to learn from, ten to be measured on, three of them by another hand."""

from __future__ import annotations

from benchmarks.worlds import strange_kinds, test_kinds, training_kinds
from benchmarks.worlds.books import World

TRAINING_WORLDS = (
    World("services firm", training_kinds.services_firm, 0),
    World("retailer", training_kinds.retailer, 0),
    World("non-profit", training_kinds.non_profit, 0),
    World("association", training_kinds.association, 0),
    World("trading house", training_kinds.trading_house, 0),
    World("builder", training_kinds.builder, 0),
)
TEST_WORLDS = (
    World("campaign", test_kinds.campaign, 1),
    World("parish", test_kinds.parish, 1),
    World("property manager", test_kinds.property_manager, 1),
    World("web shop", test_kinds.web_shop, 1),
    World("clinic", test_kinds.clinic, 1),
    World("agency", test_kinds.agency, 1),
    World("importer", test_kinds.importer, 1),
    World("two parties", strange_kinds.two_parties, 1),
    World("deferred card", strange_kinds.deferred_card, 1),
    World("slow cheques", strange_kinds.slow_cheques, 1),
)
WORLDS = TRAINING_WORLDS + TEST_WORLDS
