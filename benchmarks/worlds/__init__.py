"""Invented books of invented companies, for training and for measuring.

Some worlds train the general model; the others differ from them in kind, in their names and in
their banks' descriptor styles, and only report.
"""

from benchmarks.worlds.books import Books, World
from benchmarks.worlds.catalogue import TEST_WORLDS, TRAINING_WORLDS, WORLDS

__all__ = ["TEST_WORLDS", "TRAINING_WORLDS", "WORLDS", "Books", "World"]
