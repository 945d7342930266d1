"""docs/venues.md: the strategy backtests with another exchange's class, real orders are refused.

Without a network: another venue's markets are BloFin's of the sandbox, answered where ccxt asks.
"""

from copy import deepcopy

import ccxt
import ccxt.async_support
import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.strategy.analysis import entry_candles

SPAN = "20250401-20250430"


@pytest.fixture
def another(desk, monkeypatch, tmp_path):
    """`another(name)`: a desk for backtests on that exchange."""
    ours = ExchangeResolver.load_exchange(desk.config(SPAN), load_leverage_tiers=True)
    markets = [deepcopy(market) for market in ours.markets.values()]
    tiers = {
        pair: [
            {
                "tier": number,
                "symbol": pair,
                "currency": "USDT",
                "minNotional": tier["minNotional"],
                "maxNotional": tier["maxNotional"],
                "maintenanceMarginRate": tier["maintenanceMarginRate"],
                "maxLeverage": tier["maxLeverage"],
                "info": {},
            }
            for number, tier in enumerate(ours._leverage_tiers[pair], start=1)
        ]
        for pair in desk.pairs
    }

    def make(name: str) -> BacktestDesk:
        kind = getattr(ccxt.async_support, name)

        async def fetch_markets(self, params=None):
            return deepcopy(markets)

        async def fetch_nothing(self, params=None):
            return {}

        monkeypatch.setattr(kind, "fetch_markets", fetch_markets)
        monkeypatch.setattr(kind, "fetch_currencies", fetch_nothing)
        # freqtrade asks for all tiers at once there, through ccxt's synchronous class.
        monkeypatch.setattr(
            getattr(ccxt, name), "fetch_leverage_tiers", lambda *_, **__: deepcopy(tiers)
        )
        return BacktestDesk(desk.data, tmp_path / name, desk.sandbox, desk.pairs)

    return make


def exchange(desk: BacktestDesk, name: str) -> dict:
    return {"name": name, "pair_whitelist": list(desk.pairs), "enable_ws": False}


def test_a_backtest_with_bybits_class_keeps_the_rules(another):
    desk = another("bybit")
    made = desk.run(SPAN, exchange=exchange(desk, "bybit"))
    assert type(desk.exchange).__module__ == "freqtrade.exchange.bybit"
    trades = made.trades
    assert len(trades) > 0
    assert (trades["plan_risk"] <= 0.05 * trades["plan_equity"] * 1.0001).all()
    assert (trades["plan_confidence"] >= 0.7).all()
    assert (trades["leverage"] <= 50).all()
    reward = (trades["plan_target"] - trades["open_rate"]).abs()
    assert (reward >= (trades["open_rate"] - trades["plan_stop"]).abs()).all()


def test_real_orders_are_refused_there(another):
    desk = another("bybit")
    config = desk.config(SPAN, exchange=exchange(desk, "bybit"))
    strategy = StrategyResolver.load_strategy(config | {"runmode": RunMode.LIVE})
    strategy.dp = DataProvider(config, ExchangeResolver.load_exchange(config))
    with pytest.raises(ConfigurationError, match=r"trades for real only on BloFin"):
        strategy.ft_bot_start()


@pytest.mark.parametrize(("volume", "entered"), [(1.0, True), (0.0, False)])
def test_candles_without_volume_have_no_entry_as_those_of_gmx(volume, entered):
    frame = pd.DataFrame(
        {
            # The last 15m candle of an hour, with all that an entry needs.
            "date": [pd.Timestamp("2025-06-01 11:45", tz="UTC")],
            "long_confluence": [0.9],
            "short_confluence": [0.0],
            "plan_long_target": [1.0],
            "mc_yellow_cross": [False],
            "volume": [volume],
        }
    )
    assert list(entry_candles(frame, "long", 0.7)) == [entered]
