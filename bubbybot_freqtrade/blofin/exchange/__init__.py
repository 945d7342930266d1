"""BloFin as freqtrade's exchange class."""

from bubbybot_freqtrade.blofin.exchange.blofin import Blofin

__all__ = ["Blofin"]
