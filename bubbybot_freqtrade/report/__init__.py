"""One HTML page of what was traded: a backtest, a rehearsal or a bot's database."""
