"""freqtrade's own pairlists on a BloFin whose markets come and go, with trades open meanwhile."""

import pytest
import time_machine
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from tests.blofin.desk import START, Desk

PAIRS = 40
BY_VOLUME = {
    "method": "VolumePairList",
    "number_assets": 8,
    "sort_key": "quoteVolume",
    "refresh_period": 1800,
}
FILTERS = [
    {"method": "AgeFilter", "min_days_listed": 10},
    {"method": "SpreadFilter", "max_spread_ratio": 0.005},
    {"method": "PerformanceFilter", "minutes": 1440},
]


@pytest.fixture
def desk(tmp_path):
    """A desk on generated markets."""
    settings = {"pair_count": PAIRS, "margin_mode": "isolated", "rate_limits": False}
    with time_machine.travel(START, tick=True) as traveller:
        start_ms = int(START.timestamp() * 1000)
        with Sandbox(SandboxSettings(start_ms=start_ms, **settings)) as sandbox:
            desk = Desk(sandbox, tmp_path, traveller)
            yield desk
            desk.stop()


def start(desk, *pairlists):
    """A bot that takes its pairs of a list of the venue's."""
    exchange = {"pair_whitelist": [".*/USDT:USDT"]}
    return desk.start(pairlists=list(pairlists), exchange=exchange)


def by_volume(desk):
    """Pairs by the day's turnover, as the venue's own tickers tell it."""
    tickers = desk.bot.exchange.get_tickers(cached=True)
    pairs = [pair for pair in tickers if pair.endswith("/USDT:USDT")]
    return sorted(pairs, key=lambda pair: tickers[pair]["quoteVolume"], reverse=True)


def inst_id(pair):
    return pair.split(":")[0].replace("/", "-")


def test_a_list_by_volume_age_spread_and_performance_is_traded(desk):
    bot = start(desk, BY_VOLUME, *FILTERS)
    desk.loop()
    expected = by_volume(desk)[:8]
    assert bot.active_pair_whitelist == expected
    trade = desk.enter(expected[-1])
    assert len(desk.standing_stops(trade.pair)) == 1


def test_a_pair_that_leaves_the_list_keeps_its_stop_its_candles_and_its_exits(desk):
    bot = start(desk, BY_VOLUME)
    desk.loop()
    trade = desk.enter(bot.active_pair_whitelist[-1])
    left = trade.pair
    (stop,) = desk.standing_stops(left)
    listed = bot.active_pair_whitelist[:-1]
    RPC(bot)._rpc_blacklist([left])
    desk.loop(minutes=31)
    # freqtrade goes on with the pairs of open trades, after those of the list.
    assert set(listed) < set(bot.active_pair_whitelist)
    assert bot.active_pair_whitelist[-1] == left
    frame, _ = bot.dataprovider.get_analyzed_dataframe(left, bot.strategy.timeframe)
    assert (desk.now - frame["date"].iat[-1]).total_seconds() < 3 * 15 * 60
    assert [one.tpsl_id for one in desk.standing_stops(left)] == [stop.tpsl_id]
    old = float(stop.tpsl.sl_trigger)
    desk.move_stop(left, old * 1.001)
    (moved,) = desk.standing_stops(left)
    assert float(moved.tpsl.sl_trigger) > old
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert desk.closed(trade).exit_reason == "force_exit"
    desk.loop()
    assert left not in bot.active_pair_whitelist
    assert not desk.standing_stops(left)


def test_one_market_goes_and_another_comes_while_the_bot_runs(desk, caplog):
    pairs = [f"{name.replace('-', '/')}:USDT" for name in desk.sandbox.engine.venue.instruments]
    new = "SOL/USDT:USDT"
    assert new in pairs
    desk.sandbox.change_instrument(inst_id(new), state="gone")
    bot = start(desk, BY_VOLUME)
    desk.loop()
    assert new not in bot.exchange.markets
    gone, other = (desk.enter(pair) for pair in bot.active_pair_whitelist[:2])
    desk.sandbox.change_instrument(inst_id(gone.pair), state="gone")
    desk.sandbox.change_instrument(inst_id(new), state="live")
    for _ in range(4):
        desk.loop(minutes=31)
    assert gone.pair not in bot.active_pair_whitelist
    assert desk.closed(gone)
    told = f"{gone.pair}: BloFin doesn't list this market any more"
    assert len([one for one in caplog.messages if one.startswith(told)]) == 1
    Trade.session.refresh(other)
    assert other.is_open
    assert len(desk.standing_stops(other.pair)) == 1
    # The new one trades enough for the list, has its tiers, and can be traded.
    assert new in bot.active_pair_whitelist
    venue = desk.sandbox.market.tiers(inst_id(new))
    assert bot.exchange.get_max_leverage(new, 1.0) == float(venue[0].max_leverage)
    entered = desk.enter(new)
    assert len(desk.standing_stops(entered.pair)) == 1
