"""BubbyBot for freqtrade: three analyzers, the owner's risk rules, and BloFin futures."""

__version__ = "0.2.0"
