"""What the package touches of freqtrade's and ccxt's inside: one list, read before a bot starts."""
