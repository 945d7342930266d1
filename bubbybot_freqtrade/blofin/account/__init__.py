"""The account behind the exchange: its key, freqtrade's database, what the venue holds."""
