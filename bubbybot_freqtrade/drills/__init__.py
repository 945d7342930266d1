"""Bad days, made on purpose: freqtrade's real bot on a sandbox that fails in every known way."""
