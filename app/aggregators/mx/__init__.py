"""MX: an own small client of its Platform API, Connect widget, transactions by date."""

from app.aggregators.mx.aggregator import Mx
from app.aggregators.mx.settings import MxSettings

__all__ = ["Mx", "MxSettings"]
