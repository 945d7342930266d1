"""When an instrument is taken off the venue."""

from datetime import datetime, timedelta
from typing import Any

from freqtrade.util import dt_from_ts, dt_now, dt_ts

# Instruments are announced for delisting days ahead; an expireTime further away is a placeholder.
HORIZON = timedelta(days=14)


def delisting_time(market: dict[str, Any]) -> datetime | None:
    """Return when a (ccxt) market is going to be delisted; None while it isn't."""
    expires = int(market.get("info", {}).get("expireTime") or 0)
    # Some live instruments carry a time long past.
    gone = expires < dt_ts() and market.get("active")
    if not expires or gone or expires > dt_ts(dt_now() + HORIZON):
        return None
    return dt_from_ts(expires)
