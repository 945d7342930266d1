"""The exchange as hyperopt sends it to its workers: freqtrade pickles it without its clients."""

from typing import Any

LIVE = frozenset(
    {
        "real_time", "requests", "_brackets", "orders", "stops", "_gone_markets",
        "_rows_of_trades", "_pushed_candles", "candle_queue", "account_watch", "_api_key",
    }
)  # fmt: skip
"""What asks the venue, with its threads' locks. A copy's epochs ask nothing."""


class Copied:
    """Pickled without what is live: locks have no copy."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in LIVE}
