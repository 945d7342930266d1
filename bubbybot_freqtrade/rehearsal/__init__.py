"""freqtrade's real live loop, driven through the sandbox on a virtual clock."""
