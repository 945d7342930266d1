"""What BubbyBot tells its operator where freqtrade has no message of its own.

Pure: facts in, one text out. freqtrade sends a strategy's messages as Telegram Markdown, which
drops a message with an unpaired sign; `plain` keeps those signs out, so the same text serves
Telegram, webhooks and the log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bubbybot_freqtrade.learning.edge import Edge, shipped
from bubbybot_freqtrade.learning.table import Row
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.signals.words import counted, price, reasons

MOST_PATTERNS = 12
"""Rows of a message about patterns, besides the vetoed ones."""

_MARKDOWN_SIGNS = str.maketrans({"_": " ", "*": " ", "`": "'", "[": "(", "]": ")"})


def plain(text: str) -> str:
    """`text` without the signs that Telegram's Markdown would take for formatting."""
    return text.translate(_MARKDOWN_SIGNS)


def plan_told(plan: TradePlan, open_rate: float, *, found_again: bool = False) -> str:
    """The plan of a trade that has just been entered at `open_rate`.

    :param found_again: the bot was restarted before the fill, and made the plan of what stands
    """
    how = " while the bot was away; stop and target are those that stand" if found_again else ""
    return plain(
        f"Plan of {plan.pair} {plan.side}, entered at {price(open_rate)}{how}\n"
        f"Stop {price(plan.stop)} ({plan.stop / open_rate - 1:+.2%}): "
        f"loses {plan.risk:.2f}, {plan.risk / plan.equity:.1%} of equity\n"
        f"Target {price(plan.target)} ({plan.target / open_rate - 1:+.2%}): "
        f"pays {plan.reward_risk:.2f}R after fees\n"
        f"{plan.leverage}x, margin {plan.margin:.2f}, liquidation {price(plan.liquidation)}\n"
        f"Why: confidence {plan.confidence:.2f}; {reasons(plan.tag, plan.side)}"
    )


def headline(what: str, plan: TradePlan, moment: datetime) -> str:
    """Title and caption of a plan's picture."""
    return f"{what} {plan.pair} {plan.side}, {moment:%Y-%m-%d %H:%M} UTC"


def signal_told(plan: TradePlan, rate: float) -> str:
    """A signal for whoever trades by hand: in a paper account's terms, as shares and R."""
    return plain(
        f"Signal: {plan.pair} {plan.side} at about {price(rate)}\n"
        f"Stop {price(plan.stop)} ({plan.stop / rate - 1:+.2%})\n"
        f"Target {price(plan.target)} ({plan.target / rate - 1:+.2%}): "
        f"pays {plan.reward_risk:.2f}R after fees\n"
        f"Risk {plan.risk / plan.equity:.1%} of equity, at most {plan.leverage}x\n"
        f"Why: confidence {plan.confidence:.2f}; {reasons(plan.tag, plan.side)}"
    )


def no_plan(pair: str, side: str, stop: float) -> str:
    """A trade whose plan is lost and cannot be made again."""
    return plain(
        f"{pair} {side} was entered while the bot was away, and its plan is lost: no target is "
        f"known, the stop stays at {price(stop)}."
    )


def stop_moved(plan: TradePlan, before: float, after: float, held: float) -> str:
    """The stop follows the trade, and holds so much R of it now."""
    return plain(
        f"{plan.pair} {plan.side}: stop moves from {price(before)} to {price(after)}, "
        f"which is {held:+.2f}R."
    )


def patterns_told(rows: Sequence[Row]) -> str:
    """What past trades say of the patterns, the most traded first."""
    told = [row for index, row in enumerate(rows) if index < MOST_PATTERNS or row.is_vetoed]
    left = len(rows) - len(told)
    more = [f"{left} more were traded less; bubbybot patterns shows all."] if left else []
    return plain("\n".join(["What past trades say", *map(_pattern, told), *more]))


def _pattern(row: Row) -> str:
    known, where = row.known, row.situation
    veto = ", vetoed" if row.is_vetoed else ""
    return (
        f"{reasons(where.pattern, where.side)} {where.side}: mean R {known.mean_r:+.2f} "
        f"({known.mean_r_low:+.2f} to {known.mean_r_high:+.2f}), target first "
        f"{known.target_first:.0%}, {counted(row.trades, 'trade')}{veto}"
    )


def edge_told(known: Edge) -> str:
    """Whether the strategy is still working, and what the bot does about it where it acts."""
    does = {
        "in doubt": " It trades the least risk until that is over, if edge.act is on.",
        "gone": " It enters nothing more, if edge.act is on; a day in edge.since begins anew.",
    }
    return plain(known.told(shipped()) + does.get(known.state, ""))


def refused(reason: str) -> str:
    """An entry that someone asked for and that breaks a rule."""
    return plain(f"No trade. {reason}.")


def day_over(loss_share: float, limit: float, until: datetime, *, closes_trades: bool) -> str:
    """The day's loss limit is reached."""
    rest = "Open trades are closed." if closes_trades else "Open trades keep their stops."
    return plain(
        f"The day has lost {loss_share:.2%} of the account, the limit is {limit:.2%}: no entries "
        f"until {until:%Y-%m-%d %H:%M} UTC. {rest}"
    )


CRITICAL_EXITS = {
    "daily_loss_limit": "the day's loss limit is reached",
    "liquidation_near": "the price is close to liquidation",
    "volatility_shock": "the last candle, or the one that runs, is a shock against the trade",
    "stop_passed": "the price is already beyond where the stop should move to",
    "delisting": "the pair is about to be delisted",
    "funding_extreme": "funding is extreme and the trade would pay it",
    "too_old": "the trade is older than it may get",
}
"""Reasons of `custom_exit` in words."""


def critical_exit(pair: str, side: str, reason: str, rate: float) -> str:
    """The bot closes a trade before its stop or target."""
    why = CRITICAL_EXITS.get(reason, reason)
    return plain(f"{pair} {side} is closed at about {price(rate)}: {why}.")


ENDS = {
    "roi": "at its target",
    "take_profit_on_exchange": "at its target",
    "stop_loss": "by its stop",
    "stoploss_on_exchange": "by its stop",
    "trailing_stop_loss": "by its moved stop",
    "liquidation": "by liquidation",
    "sold_on_exchange": "by an order at BloFin that is not this bot's: in the app, or the venue's",
    "force_exit": "by command",
    "emergency_exit": "at the market, for no stop could be placed",
}
"""freqtrade's exit reasons in words, and the one of our extension."""


def result_told(
    pair: str, side: str, reason: str, rate: float, profit: str, r: float | None
) -> str:
    """What a trade has come to.

    :param profit: with its currency, net
    :param r: None where no stop is known
    """
    how = ENDS.get(reason) or f"because {CRITICAL_EXITS.get(reason, reason)}"
    made = "" if r is None else f"{r:+.2f}R, "
    return plain(f"{pair} {side} has ended {how}, at {price(rate)}: {made}{profit}.")


def fast_move(pair: str, change: float, minutes: float, rate: float) -> str:
    """The price of a pair has moved a lot in little time."""
    return plain(f"{pair} moved {change:+.2%} within {minutes:.0f} minutes, to {price(rate)}.")


def stale(pair: str, age: timedelta) -> str:
    """No new candle has come for too long."""
    return plain(
        f"{pair}: the newest candle closed {age.total_seconds() / 60:.0f} minutes ago. There are "
        "no entries on old candles; stops stand on the venue. Check the network and BloFin."
    )


def silent(producer: str, age: timedelta) -> str:
    """A producer has sent no new candle for too long."""
    return plain(
        f"Producer {producer}: no new candle for {age.total_seconds() / 60:.0f} minutes. There are "
        "no entries in its pairs; stops stand on the venue. Look whether it runs, and at "
        "external_message_consumer."
    )


def heard_again(producer: str) -> str:
    """A producer sends again."""
    return plain(f"Producer {producer}: candles arrive again.")


def sent_twice(pair: str, producers: Sequence[str]) -> str:
    """More than one producer sends a pair."""
    return plain(
        f"{pair} is sent by {' and '.join(producers)}: {producers[0]} is followed, the first of "
        "external_message_consumer.producers. Take the pair off the others' lists."
    )


def fresh_again(pair: str) -> str:
    """Candles arrive again."""
    return plain(f"{pair}: candles arrive again.")
