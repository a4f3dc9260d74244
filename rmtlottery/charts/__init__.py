"""What training may reach: charts, and random maps from few coordinates to all weights."""

from rmtlottery.charts.projections import projection
from rmtlottery.charts.subspace import Subspace

__all__ = ["Subspace", "projection"]
