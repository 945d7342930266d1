"""BloFin as freqtrade's exchange class."""

# First: it registers ours once it is complete. From within our own class it would find half of it.
import freqtrade.exchange  # noqa: F401

from bubbybot_freqtrade.blofin.exchange.blofin import Blofin

__all__ = ["Blofin"]
