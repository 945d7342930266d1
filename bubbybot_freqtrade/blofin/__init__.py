"""BloFin USDT-M perpetuals for freqtrade. Knows nothing of BubbyBot and serves any strategy."""
