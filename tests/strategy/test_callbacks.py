"""What the callbacks answer with a real exchange, wallets and database around them."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.persistence import Order, PairLocks, Trade
from freqtrade.resolvers import StrategyResolver
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.bracket import take_bracket
from bubbybot_freqtrade.risk.closed_candles import ClosedCandles, shocks
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.signals.context import whole_candles
from bubbybot_freqtrade.strategy.day import DAILY_LOSS_LOCK

# What `conftest.py` makes; a conftest cannot be imported by name here.
Bot = Any
BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
TAG = "mc:dot lux:ob fc:gp"
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def show(
    bot: Bot,
    pair: str = BTC,
    close: float = 50_000.0,
    *,
    last: datetime = NOON - timedelta(minutes=15),
    **changes: Any,
) -> None:
    """Hand the strategy an analyzed frame whose last candle is a long signal."""
    dates = pd.date_range(end=last, periods=120, freq="15min")
    row = {
        "open": close,
        "high": close,
        "low": close,
        "close": close,
        "volume": 1.0,
        "plan_atr": close / 200,
        "stop_atr": close / 100,
        "regime": 1.0,
        "long_confluence": 0.8,
        "short_confluence": 0.0,
        "plan_long_stop": close * 0.98,
        "plan_long_target": close * 1.06,
        "plan_short_stop": np.nan,
        "plan_short_target": np.nan,
        "lux_internal_low": close * 0.99,
        "lux_internal_high": close * 1.01,
        "enter_tag": TAG,
    } | changes
    frame = pd.DataFrame([row] * len(dates)).assign(date=dates)
    bot.strategy.dp._set_cached_df(pair, "15m", frame, CandleType.FUTURES)
    bot.strategy.memory.candles.keep(pair, frame)


def enter(
    bot: Bot, rate: float, pair: str = BTC, confirm_at: float | None = None, tag: str = TAG
) -> float | None:
    """Ask as freqtrade does before an entry; the stake when it was confirmed."""
    common = {"pair": pair, "current_time": NOON, "entry_tag": tag, "side": "long"}
    leverage = bot.strategy.leverage(
        current_rate=rate, proposed_leverage=1.0, max_leverage=100.0, **common
    )
    stake = bot.strategy.custom_stake_amount(
        current_rate=rate,
        proposed_stake=3_000.0,
        min_stake=1.0,
        max_stake=10_000.0,
        leverage=leverage,
        **common,
    )
    confirmed = bot.strategy.confirm_trade_entry(
        order_type="limit",
        amount=stake / rate * leverage,
        rate=confirm_at or rate,
        time_in_force="GTC",
        **common,
    )
    return stake if confirmed else None


def open_trade(bot: Bot, pair: str = BTC, rate: float = 50_000.0, **changes: Any) -> Trade:
    fields: dict[str, Any] = {
        "pair": pair,
        "stake_amount": 500.0,
        "amount": 0.2,
        "amount_requested": 0.2,
        "open_rate": rate,
        "open_date": NOON - timedelta(hours=1),
        "fee_open": 0.0006,
        "fee_close": 0.0006,
        "leverage": 20.0,
        "is_short": False,
        "is_open": True,
        "exchange": "blofin",
        "trading_mode": "futures",
        "price_precision": 0.1,
        "precision_mode_price": 4,
    }
    trade = Trade(**(fields | changes))
    trade.recalc_open_trade_value()
    trade.adjust_stop_loss(rate, -0.5, initial=True)
    Trade.session.add(trade)
    Trade.commit()
    return trade


def entry_order(trade: Trade) -> Order:
    return Order(ft_order_side=trade.entry_side, ft_pair=trade.pair, order_id="1", ft_is_open=False)


def test_an_entry_that_fits_offers_its_bracket(bot: Bot) -> None:
    show(bot)
    stake = enter(bot, 50_000)
    assert stake == pytest.approx(500, rel=0.05)
    assert stake <= 500 * (1 + 1e-9)
    bracket = take_bracket(BTC, "long")
    assert bracket is not None
    assert (bracket.stop, bracket.target) == (49_000, 53_000)


@pytest.mark.parametrize("slipped", [50_600.0, 49_200.0, 48_900.0, 53_100.0])
def test_a_rate_that_slipped_out_of_the_rules_is_refused(bot: Bot, slipped: float) -> None:
    # Target too near, stop too near, beyond the stop, beyond the target.
    show(bot)
    assert enter(bot, 50_000, confirm_at=slipped) is None
    assert take_bracket(BTC, "long") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"long_confluence": 0.69},
        {"plan_long_stop": np.nan},
        {"plan_long_target": 50_500.0},
        {"plan_long_stop": 30_000.0},
    ],
)
def test_a_candle_without_a_plan_is_no_entry(bot: Bot, changes: dict[str, float]) -> None:
    show(bot, **changes)
    assert enter(bot, 50_000) is None


def test_a_failing_callback_refuses_where_freqtrade_would_go_on(bot: Bot) -> None:
    show(bot)
    bot.strategy.wallets = None
    assert enter(bot, 50_000) is None
    assert take_bracket(BTC, "long") is None


def test_an_entry_nobody_planned_is_refused(bot: Bot) -> None:
    show(bot)
    assert not bot.strategy.confirm_trade_entry(
        pair=BTC,
        order_type="market",
        amount=0.2,
        rate=50_000.0,
        time_in_force="GTC",
        current_time=NOON,
        entry_tag="force_entry",
        side="long",
    )


def test_a_restart_knows_the_plan_and_its_stop(bot: Bot, restart: Callable[[], Bot]) -> None:
    show(bot)
    assert enter(bot, 50_000)
    trade = open_trade(bot)
    bot.strategy.order_filled(pair=BTC, trade=trade, order=entry_order(trade), current_time=NOON)
    again = restart()
    (found,) = Trade.get_open_trades()
    stop = again.strategy.custom_stoploss(
        pair=BTC,
        trade=found,
        current_time=NOON,
        current_rate=50_100.0,
        current_profit=0.0,
        after_fill=False,
    )
    assert 50_100 * (1 - stop / 20) == pytest.approx(49_000, rel=1e-6)
    assert again.strategy.custom_roi(
        pair=BTC, trade=found, current_time=NOON, trade_duration=60, entry_tag=None, side="long"
    ) == pytest.approx(found.calc_profit_ratio(53_000))


def test_an_offer_lost_by_a_restart_is_found_on_the_signal_candle(bot: Bot) -> None:
    show(bot)
    trade = open_trade(bot, open_date=NOON + timedelta(minutes=1), amount=0.1999)
    bot.strategy.order_filled(pair=BTC, trade=trade, order=entry_order(trade), current_time=NOON)
    kept = TradePlan.from_dict(trade.get_custom_data("plan"))
    assert (kept.stop, kept.target) == (49_000, 53_000)


def test_a_fill_that_is_told_again_leaves_the_plan_as_it_was(bot: Bot) -> None:
    show(bot)
    assert enter(bot, 50_000)
    trade = open_trade(bot)
    bot.strategy.order_filled(pair=BTC, trade=trade, order=entry_order(trade), current_time=NOON)
    kept = trade.get_custom_data("plan")
    # Later candles say other things: /reload_trade and a late fee come with the same order.
    show(bot, plan_long_stop=48_000.0, plan_long_target=60_000.0, long_confluence=0.75)
    bot.strategy.order_filled(pair=BTC, trade=trade, order=entry_order(trade), current_time=NOON)
    assert trade.get_custom_data("plan") == kept


@pytest.mark.parametrize("score", [0.05, 0.0])
def test_a_forced_entry_is_recorded_with_the_score_it_had(bot: Bot, score: float) -> None:
    show(bot, long_confluence=score)
    assert enter(bot, 50_000) is None, "a signal needs its confluence"
    assert enter(bot, 50_000, tag="force_entry"), "a person need not"
    trade = open_trade(bot, enter_tag="force_entry")
    bot.strategy.order_filled(pair=BTC, trade=trade, order=entry_order(trade), current_time=NOON)
    kept = TradePlan.from_dict(trade.get_custom_data("plan"))
    assert kept.confidence == score
    # The least risk that a plan may have, one step of the contract's size aside.
    assert kept.risk / kept.equity == pytest.approx(0.02, rel=0.02)


def planned(bot: Bot, trade: Trade, **changes: Any) -> None:
    plan = TradePlan(
        pair=trade.pair,
        side="long",
        entry=50_000.0,
        stop=49_000.0,
        target=53_000.0,
        leverage=20,
        size=0.2,
        margin=500.0,
        risk=212.0,
        reward_risk=2.5,
        liquidation=47_800.0,
        confidence=0.8,
        equity=10_000.0,
    )
    trade.set_custom_data("plan", replace(plan, **changes).to_dict())


def stop_of(bot: Bot, trade: Trade, rate: float, *, after_fill: bool = False) -> float | None:
    """The price of the stop that freqtrade would set, through its own rounding."""
    profit = trade.calc_profit_ratio(rate)
    bot.strategy.ft_stoploss_adjust(rate, trade, NOON, profit, 0, after_fill=after_fill)
    return trade.stop_loss


def test_the_first_stop_is_the_plans_to_the_tick(bot: Bot) -> None:
    show(bot)
    trade = open_trade(bot)
    planned(bot, trade, stop=49_000.3)
    assert stop_of(bot, trade, 50_037.7, after_fill=True) == 49_000.3
    # Other rates bring other float noise; none of it may move the stop.
    for rate in np.linspace(49_100, 52_900, 97):
        assert stop_of(bot, trade, float(rate)) == 49_000.3


def test_break_even_and_trail_only_ever_tighten(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.strategy.break_even_at, "value", 1.0)
    monkeypatch.setattr(bot.strategy.trail_from, "value", 2.0)
    trade = open_trade(bot)
    planned(bot, trade)
    stops = []
    course = (
        (50_500, 49_800),
        (50_900, 50_200),
        (52_200, 50_000),
        (52_200, 51_500),
        (51_000, 49_000),
    )
    for close, low in course:
        show(bot, close=float(close), lux_internal_low=float(low), plan_atr=200.0)
        stops.append(stop_of(bot, trade, float(close)))
    # The plan's below 1R; at 2R entry and both fees, or the low less half an ATR where that is
    # nearer; never back.
    assert stops == [49_000, 49_000, 50_060, 51_400, 51_400]


def test_a_fill_after_the_entrys_never_loosens_the_stop(
    calm: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calm.strategy.trail_from, "value", 1.0)
    trade = open_trade(calm)
    planned(calm, trade)
    show(calm)
    assert stop_of(calm, trade, 50_000, after_fill=True) == 49_000
    show(calm, close=51_500.0, lux_internal_low=50_800.0, plan_atr=200.0)
    assert stop_of(calm, trade, 51_500) == 50_700
    # A part is closed by hand; by now the last close is below 1R and asks for nothing.
    show(calm, close=50_900.0)
    assert stop_of(calm, trade, 50_900, after_fill=True) == 50_700


def test_a_stop_that_the_price_has_passed_already_is_an_exit(
    calm: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calm.strategy.trail_from, "value", 1.0)
    trade = open_trade(calm)
    planned(calm, trade)
    show(calm, close=51_500.0, lux_internal_low=50_800.0, plan_atr=200.0)
    trade.stop_loss = 49_000.0
    # The candle says 50,700; meanwhile the price is below: no venue takes a stop above it.
    assert stop_of(calm, trade, 50_600) == 49_000
    assert exit_reason(calm, trade, 50_600) == "stop_passed"
    assert exit_reason(calm, trade, 50_800) is None
    trade.stop_loss = 50_100.0
    assert exit_reason(calm, trade, 50_000) is None, "the stop's own business"


def test_the_target_is_the_venues_business_when_live(bot: Bot) -> None:
    trade = open_trade(bot)
    planned(bot, trade)
    bot.strategy.config["runmode"] = RunMode.LIVE
    try:
        assert (
            bot.strategy.custom_roi(
                pair=BTC,
                trade=trade,
                current_time=NOON,
                trade_duration=60,
                entry_tag=None,
                side="long",
            )
            is None
        )
    finally:
        bot.strategy.config["runmode"] = RunMode.DRY_RUN


def exit_reason(bot: Bot, trade: Trade, rate: float) -> str | None:
    return bot.strategy.custom_exit(
        pair=trade.pair, trade=trade, current_time=NOON, current_rate=rate, current_profit=0.0
    )


@pytest.fixture
def calm(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Bot:
    """A bot whose venue charges no extreme funding, so that no request is needed."""
    monkeypatch.setattr(bot.strategy.dp, "funding_rate", lambda pair: {"fundingRate": 0.0001})
    return bot


def test_a_quiet_trade_is_left_alone(calm: Bot) -> None:
    show(calm)
    assert exit_reason(calm, open_trade(calm), 50_100.0) is None


def test_liquidation_that_comes_near_is_left_before(calm: Bot) -> None:
    show(calm)
    trade = open_trade(calm, liquidation_price=47_700.0)
    assert exit_reason(calm, trade, 48_000.0) is None
    assert exit_reason(calm, trade, 47_900.0) == "liquidation_near"


def test_extreme_funding_is_not_paid(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    show(bot)
    asked: list[str] = []

    def rate(pair: str) -> dict[str, float]:
        asked.append(pair)
        return {"fundingRate": 0.004}

    monkeypatch.setattr(bot.strategy.dp, "funding_rate", rate)
    trade = open_trade(bot)
    assert exit_reason(bot, trade, 50_000.0) == "funding_extreme"
    assert exit_reason(bot, open_trade(bot, is_short=True), 50_000.0) is None
    assert asked == [BTC], "one request serves half an hour"


def test_a_shock_against_the_trade_ends_it(calm: Bot) -> None:
    show(calm, open=53_000.0)
    trade = open_trade(calm)
    assert exit_reason(calm, trade, 48_900.0) == "volatility_shock"
    assert exit_reason(calm, open_trade(calm, is_short=True), 48_900.0) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_a_shock_need_not_wait_for_its_candle_to_close(calm: Bot, sign: int) -> None:
    # An ATR is 250.
    show(calm)
    trade = open_trade(calm, is_short=sign < 0)
    shock = 50_000.0 - sign * 8 * 250
    assert exit_reason(calm, trade, shock + sign) is None
    assert exit_reason(calm, trade, shock - sign) == "volatility_shock"


def test_a_candle_that_began_before_the_entry_is_no_shock_nor_one_after_a_gap(calm: Bot) -> None:
    show(calm)
    young = open_trade(calm, open_date=NOON + timedelta(minutes=1))
    assert exit_reason(calm, young, 47_000.0) is None
    show(calm, ETH, 2_000.0)
    trade = open_trade(calm, ETH, 2_000.0)
    late = {"current_time": NOON + timedelta(minutes=15), "current_profit": 0.0}
    leave = calm.strategy.custom_exit
    assert leave(pair=ETH, trade=trade, current_rate=1_900.0, **late) is None


def test_a_shock_is_a_body_of_many_atrs() -> None:
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2025-01-01", periods=3, freq="15min", tz="UTC"),
            "open": [100.0, 100.0, 91.0],
            "close": [100.0, 91.0, 92.0],
            "plan_atr": [1.0, 2.0, 2.0],
        }
    )
    assert shocks(frame, 8.0).tolist() == [0.0, -9.0, 0.0]


def test_the_days_limit_locks_every_pair_until_midnight_and_survives_a_restart(
    calm: Bot, restart: Callable[[], Bot]
) -> None:
    show(calm)
    open_trade(
        calm,
        pair=ETH,
        is_open=False,
        close_profit_abs=-700.0,
        close_date=NOON - timedelta(hours=2),
        open_date=NOON - timedelta(hours=5),
    )
    calm.strategy.wallets.update()
    losing = open_trade(calm, amount=0.2)
    calm.strategy.wallets.update()
    exit_reason(calm, losing, 49_000.0)  # where freqtrade tells the strategy the rate
    calm.strategy.bot_loop_start(NOON)
    assert not PairLocks.is_global_lock(NOON)
    exit_reason(calm, losing, 48_000.0)
    calm.strategy.bot_loop_start(NOON)
    (lock,) = PairLocks.get_pair_locks("*", NOON)
    assert lock.reason == DAILY_LOSS_LOCK
    assert lock.lock_end_time_utc == datetime(2025, 3, 5, tzinfo=UTC)
    assert exit_reason(calm, losing, 48_000.0) == "daily_loss_limit"

    again = restart()
    show(again)
    assert PairLocks.is_global_lock(NOON)
    assert enter(again, 50_000) is None or PairLocks.is_global_lock(NOON)


def test_another_lock_of_all_pairs_is_not_the_days(calm: Bot) -> None:
    show(calm)
    open_trade(
        calm,
        is_open=False,
        close_profit_abs=-1_100.0,
        close_date=NOON - timedelta(hours=2),
        open_date=NOON - timedelta(hours=5),
    )
    calm.strategy.wallets.update()
    calm.strategy.lock_pair("*", NOON + timedelta(minutes=30), "StoplossGuard")
    calm.strategy.bot_loop_start(NOON)
    calm.strategy.bot_loop_start(NOON)
    locks = PairLocks.get_pair_locks("*", NOON + timedelta(hours=1))
    assert [lock.reason for lock in locks] == [DAILY_LOSS_LOCK]


def test_a_day_that_is_over_stays_over_for_a_person_too(calm: Bot) -> None:
    show(calm)
    calm.strategy.lock_pair("*", NOON + timedelta(hours=11), DAILY_LOSS_LOCK)
    # Nothing is lost at this moment: what was open has recovered, or a gain came in.
    assert enter(calm, 50_000, tag="force_entry") is None


def closed_part(trade: Trade, amount: float, rate: float, filled: datetime) -> None:
    """A part of the trade that a person has closed."""
    fills = (
        (trade.entry_side, trade.amount + amount, trade.open_rate, trade.open_date),
        (trade.exit_side, amount, rate, filled),
    )
    for number, (side, size, price, moment) in enumerate(fills):
        order = Order(
            ft_order_side=side,
            ft_pair=trade.pair,
            order_id=str(number),
            ft_is_open=False,
            ft_amount=size,
            ft_price=price,
            filled=size,
            average=price,
            status="closed",
            order_filled_date=moment,
        )
        trade.orders.append(order)
    Trade.commit()


def test_losses_of_parts_count_on_the_day_they_were_taken(calm: Bot) -> None:
    show(calm)
    trade = open_trade(calm, amount=0.01, stake_amount=25.0)
    # 0.49 at 48,000: 980 lost and 29 of fees of 10,000; what is left can't lose the rest.
    closed_part(trade, 0.49, 48_000.0, NOON - timedelta(minutes=10))
    trade.realized_profit = -1_008.8
    Trade.commit()
    calm.strategy.wallets.update()
    day = calm.strategy.equity.day(NOON)
    assert day.profit == pytest.approx(-1_008.8 - 0.6, abs=0.2)
    assert day.opening_equity == pytest.approx(10_000, abs=0.2)
    tomorrow = NOON + timedelta(days=1)
    assert calm.strategy.equity.day(tomorrow).profit == pytest.approx(0, abs=1)


def test_an_entry_that_waits_may_lose_its_margin(calm: Bot) -> None:
    show(calm)
    open_trade(calm, amount=0.0, stake_amount=480.0)
    calm.strategy.wallets.update()
    assert calm.strategy.equity.day(NOON).profit_at_stops == -480


def test_the_first_loop_after_a_restart_knows_what_the_day_began_with(calm: Bot) -> None:
    """No candle is analyzed yet: the exchange is asked for the price at midnight."""
    candles = calm.exchange._api.fetch_ohlcv(BTC, "15m", limit=400)
    midnight = max(row[0] for row in candles[:-4] if row[0] % 86_400_000 == 0)
    before = next(row for row in candles if row[0] == midnight - 900_000)[4]
    day = datetime.fromtimestamp(midnight / 1000, UTC)
    amount = 1_000 / (0.04 * before)
    open_trade(
        calm,
        rate=before * 1.04,
        amount=amount,
        open_date=day - timedelta(hours=3),
        is_open=False,
        close_profit_abs=-1_200.0,
        close_date=day + timedelta(minutes=2),
    )
    calm.strategy.wallets.update()
    now = day + timedelta(minutes=5)
    calm.strategy.bot_loop_start(now)
    # 12 % is gone, but all of it but the fees was lost yesterday.
    assert not PairLocks.is_global_lock(now)
    assert calm.strategy.equity.day(now).profit == pytest.approx(-200, abs=60)


def test_a_day_whose_beginning_nobody_knows_has_no_entries_and_no_panic(calm: Bot) -> None:
    show(calm)
    open_trade(
        calm,
        pair="GONE/USDT:USDT",
        is_open=False,
        close_profit_abs=-1_200.0,
        open_date=NOON - timedelta(hours=20),
        close_date=NOON - timedelta(hours=1),
    )
    calm.strategy.wallets.update()
    calm.strategy.bot_loop_start(NOON)
    assert not PairLocks.is_global_lock(NOON)
    assert enter(calm, 50_000) is None


def test_an_entry_that_could_break_the_day_is_refused(bot: Bot) -> None:
    show(bot)
    show(bot, SOL, close=150.0, plan_long_stop=147.0, plan_long_target=160.0)
    bot.strategy.settings = bot.strategy.settings.model_copy(
        update={"risk": bot.strategy.settings.risk.model_copy(update={"max_same_side": 9})}
    )
    open_trade(
        bot,
        pair=ETH,
        is_open=False,
        close_profit_abs=-550.0,
        close_date=NOON - timedelta(hours=2),
        open_date=NOON - timedelta(hours=5),
    )
    bot.strategy.wallets.update()
    assert enter(bot, 50_000), "2.7 % more fit into the 10 % of the day"
    trade = open_trade(bot)
    planned(bot, trade)
    trade.stop_loss = 49_000.0
    Trade.commit()
    bot.strategy.wallets.update()
    assert enter(bot, 150.0, SOL) is None, "with what the open trade risks they no longer do"


def test_yesterdays_losses_do_not_count(bot: Bot) -> None:
    show(bot)
    open_trade(
        bot,
        pair=ETH,
        is_open=False,
        close_profit_abs=-2_000.0,
        close_date=NOON - timedelta(hours=13),
        open_date=NOON - timedelta(hours=20),
    )
    bot.strategy.wallets.update()
    bot.strategy.bot_loop_start(NOON)
    assert not PairLocks.is_global_lock(NOON)
    assert enter(bot, 50_000)


def test_one_side_is_one_bet(bot: Bot) -> None:
    show(bot)
    show(bot, SOL, close=150.0, plan_long_stop=147.0, plan_long_target=160.0)
    planned(bot, open_trade(bot))
    bot.strategy.wallets.update()
    assert enter(bot, 150.0, SOL) is None


def test_why_there_is_no_trade_is_said_once_a_candle(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    signal = {"pair": SOL, "close": 150.0, "plan_long_stop": 147.0, "plan_long_target": 160.0}
    show(bot)
    planned(bot, open_trade(bot))
    bot.strategy.wallets.update()
    for last in (NOON - timedelta(minutes=15), NOON):
        show(bot, last=last, **signal)
        # freqtrade asks again in every loop.
        for _ in range(3):
            stake = bot.strategy.custom_stake_amount(
                pair=SOL,
                current_time=NOON,
                current_rate=150.0,
                proposed_stake=3_000.0,
                min_stake=1.0,
                max_stake=10_000.0,
                leverage=5.0,
                entry_tag=TAG,
                side="long",
            )
            assert stake == 0
    assert caplog.text.count("no more than 1 long trade at once") == 2


@pytest.mark.parametrize(
    ("space", "name", "value"),
    [("buy", "min_confidence", 0.5), ("buy", "reward_risk", 1.0), ("sell", "trail_from", -1.0)],
)
def test_a_parameter_file_cannot_loosen_the_rules(
    bot: Bot, space: str, name: str, value: float
) -> None:
    bot.strategy._ft_params_from_file = {space: {name: value}}
    with pytest.raises(ConfigurationError, match=name):
        bot.strategy.ft_load_hyper_params()


def test_the_config_wins_over_a_parameter_file(desk: BacktestDesk) -> None:
    block = {"confluence": {"min_confidence": 0.9}}
    strategy = StrategyResolver.load_strategy(desk.config("20250301-", block))
    strategy._ft_params_from_file = {"buy": {"min_confidence": 0.8, "reward_risk": 4.0}}
    strategy.ft_load_hyper_params()
    assert (strategy.min_confidence.value, strategy.reward_risk.value) == (0.9, 4.0)


def test_settings_of_one_bot_are_not_the_next_ones(desk: BacktestDesk) -> None:
    strict = {"bubbybot": {"confluence": {"min_confidence": 0.9}, "exits": {"trail_from": 2.0}}}
    first = StrategyResolver.load_strategy(desk.config("20250301-", strict["bubbybot"]))
    second = StrategyResolver.load_strategy(desk.config("20250301-"))
    assert (first.min_confidence.value, first.trail_from.value) == (0.9, 2.0)
    assert (second.min_confidence.value, second.trail_from.value) == (0.7, 0.0)


def test_four_hours_are_made_of_four_whole_ones() -> None:
    hours = pd.DataFrame(
        {
            "date": pd.date_range("2025-01-01", periods=7, freq="1h", tz="UTC"),
            "open": [1.0, 2, 3, 4, 5, 6, 7],
            "high": [9.0, 2, 3, 4, 5, 6, 7],
            "low": [1.0, 0.5, 3, 4, 5, 6, 7],
            "close": [1.0, 2, 3, 8, 5, 6, 7],
            "volume": 1.0,
        }
    )
    (bar,) = whole_candles(hours, "4h", parts=4).to_dict("records")
    assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"]) == (1, 9, 0.5, 8, 4)


@settings(max_examples=100, deadline=None)
@given(seconds=st.integers(-2_000, 20_000))
def test_a_candle_is_seen_from_its_close_on_and_never_before(seconds: int) -> None:
    dates = pd.date_range("2025-01-01", periods=20, freq="15min", tz="UTC").delete(7)
    close = np.arange(len(dates), dtype=float)
    names = ("open", "close", "plan_atr", "lux_internal_low", "lux_internal_high")
    frame = pd.DataFrame(dict.fromkeys(names, close)).assign(date=dates)
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    closed = [n for n, date in enumerate(dates) if date + timedelta(minutes=15) <= moment]
    candles = ClosedCandles(8.0)
    candles.keep(BTC, frame)
    seen = candles.last(BTC, moment)
    assert (seen.close if seen else None) == (closed[-1] if closed else None)
    # What comes later changes nothing.
    candles.keep(BTC, frame[frame["date"] + timedelta(minutes=15) <= moment])
    assert candles.last(BTC, moment) == seen
    assert candles.last(ETH, moment) is None


def test_the_context_is_analyzed_anew_when_one_of_its_candles_is_another(
    desk: BacktestDesk,
    bot: Bot,
    restart: Callable[[], Bot],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = desk.data / "futures"
    candles = {
        timeframe: pd.read_feather(folder / f"BTC_USDT_USDT-{timeframe}-futures.feather").tail(700)
        for timeframe in ("15m", "1h", "4h")
    }

    def analyzed(by: Bot, hours: pd.DataFrame) -> pd.DataFrame:
        frames = candles | {"1h": hours}
        monkeypatch.setattr(
            by.strategy.dp, "get_pair_dataframe", lambda _, timeframe: frames[timeframe].copy()
        )
        base = candles["15m"].reset_index(drop=True)
        return by.strategy.populate_indicators(base, {"pair": BTC})

    # The venue corrects the close of a candle that was seen before; its date stays.
    corrected = candles["1h"].copy()
    corrected.iloc[-20, corrected.columns.get_loc("close")] *= 1.01
    first = analyzed(bot, candles["1h"])
    pd.testing.assert_frame_equal(analyzed(bot, candles["1h"]), first)
    after = analyzed(bot, corrected)
    assert not after.equals(first)
    pd.testing.assert_frame_equal(after, analyzed(restart(), corrected))


# --- woken by a price -----------------------------------------------------------------------------


class RealTime:
    """The extension's websockets: what the strategy asks of them, and a price that has moved."""

    is_listening = True
    has_moved = False

    def wake_at(
        self,
        bounds: dict[str, tuple[float, float]],
        exposures: dict[str, tuple[float, float]],
        room: float,
    ) -> None:
        self.bounds, self.exposures, self.room = bounds, exposures, room


@pytest.fixture
def woken(calm: Bot, monkeypatch: pytest.MonkeyPatch) -> RealTime:
    """What `calm` listens by; a loop has begun, and the day's mark of an open trade is known."""
    real_time = RealTime()
    monkeypatch.setattr(calm.exchange, "real_time", real_time)
    return real_time


def test_the_loop_is_woken_where_the_trades_together_reach_the_days_limit(
    calm: Bot, woken: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(calm)
    show(calm, ETH, 2_000.0)
    losing, winning = open_trade(calm), open_trade(calm, ETH, 2_000.0, amount=3.0, is_short=True)
    calm.strategy.wallets.update()
    exit_reason(calm, losing, 49_900.0)
    exit_reason(calm, winning, 2_010.0)
    calm.strategy.bot_loop_start(NOON)
    prices = {BTC: 49_900.0, ETH: 2_010.0}
    # All that is left of the day goes with BTC's fall.
    per_dollar, mark = woken.exposures[BTC]
    prices[BTC] = mark - woken.room / per_dollar
    assert woken.exposures[ETH] == (-3.0, 2_010.0)

    def rate(pair: str, **kwargs: Any) -> float:
        return prices[pair]

    monkeypatch.setattr(calm.exchange, "get_rate", rate)
    woken.has_moved = True
    prices[BTC] += 50.0
    calm.strategy.bot_loop_start(NOON)
    assert exit_reason(calm, losing, prices[BTC]) != "daily_loss_limit"
    prices[BTC] -= 100.0
    calm.strategy.bot_loop_start(NOON)
    assert exit_reason(calm, losing, prices[BTC]) == "daily_loss_limit"


def test_the_loop_is_woken_where_liquidation_comes_near(
    restart: Callable[..., Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, real_time = restart(messages={"price_move": None}), RealTime()
    monkeypatch.setattr(bot.strategy.dp, "funding_rate", lambda pair: {"fundingRate": 0.0001})
    monkeypatch.setattr(bot.exchange, "real_time", real_time)
    show(bot)
    trade = open_trade(bot, liquidation_price=47_800.0)
    bot.strategy.bot_loop_start(NOON)
    low, high = real_time.bounds[BTC]
    assert exit_reason(bot, trade, low * (1 - 1e-9)) == "liquidation_near"
    assert exit_reason(bot, trade, low * (1 + 1e-9)) is None
    assert high == math.inf


@pytest.mark.parametrize("sign", [1, -1])
def test_the_loop_is_woken_where_the_candle_that_runs_is_a_shock(
    restart: Callable[..., Bot], monkeypatch: pytest.MonkeyPatch, sign: int
) -> None:
    bot, real_time = restart(messages={"price_move": None}), RealTime()
    monkeypatch.setattr(bot.exchange, "real_time", real_time)
    show(bot)
    open_trade(bot, is_short=sign < 0)
    bot.strategy.bot_loop_start(NOON)
    shock = 50_000.0 - sign * 8 * 250
    assert real_time.bounds[BTC] == ((shock, math.inf) if sign > 0 else (0.0, shock))


def test_the_loop_is_woken_where_a_message_of_a_fast_price_is_due(
    restart: Callable[..., Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = restart(messages={"price_move": 0.02})
    show(bot)
    open_trade(bot)
    real_time, price, told = RealTime(), [50_000.0], []
    monkeypatch.setattr(bot.exchange, "real_time", real_time)
    monkeypatch.setattr(bot.exchange, "get_tickers", lambda: {BTC: {"last": price[0]}})
    monkeypatch.setattr(bot.exchange, "get_rate", lambda pair, **kwargs: price[0])
    monkeypatch.setattr(bot.strategy.dp, "send_msg", lambda text, **kwargs: told.append(text))
    bot.strategy.bot_loop_start(NOON)
    low, high = real_time.bounds[BTC]
    assert (low, high) == pytest.approx((49_000, 51_000))
    real_time.has_moved = True
    for moved, messages in ((low * 1.0001, 0), (low * 0.9999, 1)):
        price[0] = moved
        bot.strategy.bot_loop_start(NOON + timedelta(seconds=10))
        assert len([text for text in told if "moved" in text]) == messages


def test_a_bot_that_does_not_listen_names_no_prices(calm: Bot, woken: RealTime) -> None:
    woken.is_listening = False
    show(calm)
    open_trade(calm)
    calm.strategy.bot_loop_start(NOON)
    assert not hasattr(woken, "bounds")
