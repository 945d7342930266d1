"""Registers BloFin with freqtrade as soon as freqtrade is imported."""
