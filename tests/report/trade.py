"""A closed trade made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bubbybot_freqtrade.learning.results import ReportTrade
from tests.blofin.desk import BTC

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def trade(profit: float = 10.0, **changes: Any) -> ReportTrade:
    """Two units from 100, stopped at 95, aiming at 110, an hour long; `changes` replace fields."""
    values = {
        "number": 1,
        "pair": BTC,
        "side": "long",
        "leverage": 5.0,
        "amount": 2.0,
        "opened": NOON,
        "closed": NOON + timedelta(hours=1),
        "entry": 100.0,
        "exit": 105.0,
        "stop": 95.0,
        "target": 110.0,
        "confidence": 0.8,
        "fee": 0.001,
        "tag": "mc:dot lux:ob fc:gp",
        "exit_reason": "force_exit",
        "last_stop": 95.0,
        "fees": 0.41,
    }
    return ReportTrade(profit=profit, **(values | changes))
