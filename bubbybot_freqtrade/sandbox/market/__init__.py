"""The market a sandbox plays: instruments, candles, prices on the way."""
