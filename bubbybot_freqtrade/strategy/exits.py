"""Where an open trade's stop and target stand now, and what closes it before either."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade, Trade
from freqtrade.strategy import stoploss_from_absolute

from bubbybot_freqtrade.risk.closed_candles import CANDLE_SECONDS, Candle
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.risk.r import r_at
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.market import fee_of, funding_rate, sign_of
from bubbybot_freqtrade.strategy.operator import tell
from bubbybot_freqtrade.strategy.plans import keep_stop_move, plan_of
from bubbybot_freqtrade.strategy.run_modes import is_live, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

# ATRs of 15m between its internal structure and a stop that follows it.
TRAIL_ATR_MARGIN = 0.5


def stoploss(
    bot: BubbyBotStrategy, trade: Trade, now: datetime, rate: float, *, after_fill: bool
) -> float | None:
    """The stop as freqtrade wants it, relative to `rate`; None where nothing gets tighter."""
    made = plan_of(bot, trade)
    if made is None:
        return None
    sign = sign_of(trade)
    stop = _stop_after_fill(trade, made) if after_fill else _stop_now(bot, trade, made, now)
    if sign * (rate - stop) <= 0:
        # No stop can be put beyond the price; `critical_exit` leaves.
        return None
    tick = trade.price_precision or 0.0
    if not after_fill and sign * (stop - trade.stop_loss) < max(tick / 2, 1e-9 * stop):
        return None
    if not after_fill:
        keep_stop_move(bot, trade, now, stop)
    if not after_fill and is_running(bot.config):
        tell(bot, messages.stop_moved(made, trade.stop_loss, stop, _r_at(stop, trade, made)))
    # A hair looser: freqtrade rounds towards the price, and noise must not cost a tick.
    return stoploss_from_absolute(stop * (1 - sign * 1e-10), rate, trade.is_short, trade.leverage)


def target_ratio(bot: BubbyBotStrategy, pair: str, trade: Trade) -> float | None:
    """The target as a profit ratio. None live: there the venue's own order takes it."""
    if is_live(bot.config):
        return None
    made = plan_of(bot, trade)
    if made is None:
        return None
    # The ratio of the same price changes with funding alone.
    state = (made.target, trade.open_rate, trade.amount, trade.funding_fees)
    known, ratio = bot.memory.target_ratios.get(pair, ((), 0.0))
    if known != state:
        ratio = trade.calc_profit_ratio(made.target)
        bot.memory.target_ratios[pair] = (state, ratio)
    return ratio


def critical_exit(
    bot: BubbyBotStrategy, pair: str, trade: Trade, now: datetime, rate: float
) -> str | None:
    """Why to leave before stop and target; the operator is told."""
    # A backtest comes by each pair once a candle: its rate may be a candle old for the others.
    if is_running(bot.config):
        bot.equity.marks[pair] = rate
    reason = _reason(bot, pair, trade, now, rate)
    if reason is not None and is_running(bot.config):
        tell(bot, messages.critical_exit(pair, trade.trade_direction, reason, rate))
    return reason


# --- the stop -------------------------------------------------------------------------------------


def _stop_after_fill(trade: LocalTrade, made: TradePlan) -> float:
    """The plan's stop after the entry; after any later fill never a looser one than now.

    freqtrade lets a stop loosen after each fill, a partial exit's too. Until the entry has filled
    the trade's stop is still the one it was opened with.
    """
    if trade.stop_loss == trade.initial_stop_loss:
        return made.stop
    sign = sign_of(trade)
    return max(made.stop, trade.stop_loss, key=lambda stop: sign * stop)


def _stop_now(bot: BubbyBotStrategy, trade: Trade, made: TradePlan, now: datetime) -> float:
    """The plan's stop, then break-even and the trail behind the internal structure."""
    break_even, trail = bot.break_even_at.value, bot.trail_from.value
    if not break_even and not trail:
        return made.stop
    # Closed candles only: inside a candle a backtest knows the high before the low.
    candle = _candle_since_entry(bot, trade, now)
    if candle is None:
        return made.stop
    sign = sign_of(trade)
    reached = _r_at(candle.close, trade, made)
    stops = [made.stop]
    if break_even and reached >= break_even:
        stops.append(trade.open_rate * (1 + sign * 2 * fee_of(bot, trade.pair)))
    if trail and reached >= trail:
        swing = candle.internal_low if sign > 0 else candle.internal_high
        stops.append(swing - sign * TRAIL_ATR_MARGIN * candle.atr)
    behind = [stop for stop in stops if sign * (candle.close - stop) > 0]
    return max(behind, key=lambda stop: sign * stop, default=made.stop)


def _r_at(rate: float, trade: LocalTrade, made: TradePlan) -> float:
    """What the trade comes to in R if it is left at `rate`, with the funding so far."""
    funding = (trade.funding_fees or 0.0) / trade.amount if trade.amount else 0.0
    return r_at(rate, trade.open_rate, made.stop, trade.fee_open or 0.0, funding)


def _candle_since_entry(bot: BubbyBotStrategy, trade: Trade, now: datetime) -> Candle | None:
    """The last closed candle, if it was opened since the entry."""
    candle = bot.memory.candles.last(trade.pair, now)
    if candle is None or candle.opened < trade.open_date_utc.timestamp():
        return None
    return candle


# --- critical exits -------------------------------------------------------------------------------


def _reason(
    bot: BubbyBotStrategy, pair: str, trade: Trade, now: datetime, rate: float
) -> str | None:
    exits = bot.settings.exits
    if bot.memory.is_halted and bot.settings.risk.flatten_on_daily_loss:
        return "daily_loss_limit"
    if _liquidation_is_near(trade, rate, exits.liquidation_near):
        return "liquidation_near"
    if exits.max_hours and now - trade.open_date_utc >= timedelta(hours=exits.max_hours):
        return "too_old"
    if _is_shocked(bot, trade, now):
        return "volatility_shock"
    # A backtest's candle opens where the last one closed, so no stop is passed in between.
    if not is_running(bot.config):
        return None
    if _is_beyond(rate, shock_bound(bot, trade, now), sign_of(trade)):
        return "volatility_shock"
    if _stop_is_passed(bot, trade, now, rate):
        return "stop_passed"
    if _delisting_is_near(bot, pair, now):
        return "delisting"
    if _funding_is_extreme(bot, trade, now):
        return "funding_extreme"
    return None


def liquidation_bound(trade: LocalTrade, share: float) -> float | None:
    """The price from which on less than `share` of the way from liquidation to entry is left."""
    if not trade.liquidation_price:
        return None
    way = abs(trade.open_rate - trade.liquidation_price)
    return trade.liquidation_price + sign_of(trade) * share * way


def _liquidation_is_near(trade: Trade, rate: float, share: float) -> bool:
    return _is_beyond(rate, liquidation_bound(trade, share), sign_of(trade))


def _is_beyond(rate: float, bound: float | None, sign: int) -> bool:
    return bound is not None and sign * (rate - bound) < 0


def shock_bound(bot: BubbyBotStrategy, trade: LocalTrade, now: datetime) -> float | None:
    """The price at which the candle that runs is a shock against the trade, before it has closed.

    None while that one isn't the next after the last that is known, or began before the entry.
    """
    candle = bot.memory.candles.last(trade.pair, now)
    if candle is None:
        return None
    began = candle.opened + CANDLE_SECONDS
    if now.timestamp() >= began + CANDLE_SECONDS or began < trade.open_date_utc.timestamp():
        return None
    # It opens where the last one closed.
    return candle.close - sign_of(trade) * bot.settings.exits.volatility_shock * candle.atr


def _stop_is_passed(bot: BubbyBotStrategy, trade: Trade, now: datetime, rate: float) -> bool:
    """The stop should stand where the price is no longer: it fell before the stop moved."""
    made = plan_of(bot, trade)
    if made is None:
        return False
    sign, stop = sign_of(trade), _stop_now(bot, trade, made, now)
    # Behind the trade's own stop it is that one's business.
    return sign * trade.stop_loss < sign * rate <= sign * stop


def _is_shocked(bot: BubbyBotStrategy, trade: Trade, now: datetime) -> bool:
    """The last closed candle, opened since the entry, is a shock against the trade."""
    candle = _candle_since_entry(bot, trade, now)
    return candle is not None and sign_of(trade) * candle.shock < 0


def _delisting_is_near(bot: BubbyBotStrategy, pair: str, now: datetime) -> bool:
    ends = bot.dp.check_delisting(pair)
    return ends is not None and ends - now < timedelta(hours=bot.settings.exits.delisting_hours)


def _funding_is_extreme(bot: BubbyBotStrategy, trade: Trade, now: datetime) -> bool:
    """Longs pay a positive rate, shorts a negative one."""
    paid = sign_of(trade) * funding_rate(bot, trade.pair, now)
    return paid >= bot.settings.exits.extreme_funding
