"""The ledger's trades from where freqtrade keeps them: its database, a backtest, a backtest's file.

Nothing is kept anywhere else. What a trade recorded of its plan makes it complete: without the plan
(another strategy's file, an entry that had none) the first stop stands for the planned one, twice
its distance for the target's, and the regime is unknown, so it counts as another one.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

from freqtrade.exceptions import ConfigurationError
from freqtrade.persistence import LocalTrade, Trade
from sqlalchemy import select

from bubbybot_freqtrade.learning.ledger import History, PastTrade
from bubbybot_freqtrade.learning.posterior import outcome
from bubbybot_freqtrade.learning.results import ReportTrade, Source, read_backtest
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.settings import MIN_REWARD_RISK, SHIPPED_PRIOR

UNKNOWN = "unknown"
"""The regime of a trade that recorded none."""

PlanOf = Callable[[LocalTrade], TradePlan | None]


class ClosedTrades:
    """freqtrade's closed trades, of its database or of the running backtest.

    :param plan_of: the plan that was recorded with a trade
    :param candle: how long after its date a trade of a backtest surely has ended: the length of the
        strategy's candle, also with `--timeframe-detail`, where some ends have no finer date
    """

    def __init__(self, plan_of: PlanOf, candle: timedelta) -> None:
        self._plan_of = plan_of
        self._candle = candle
        self._backtest: list[LocalTrade] = []
        self._count = 0
        self._known: dict[int, tuple[object, PastTrade | None]] = {}
        self._history = History()

    def history(self) -> History:
        """All of them as they are now. Asking again costs little while nothing has changed."""
        if Trade.use_db:
            self._read_database()
        else:
            self._read_backtest()
        return self._history

    def _read_backtest(self) -> None:
        # The next backtest of this process (hyperopt) begins another list.
        if LocalTrade.bt_trades is not self._backtest or len(self._backtest) < self._count:
            self._backtest, self._count, self._history = LocalTrade.bt_trades, 0, History()
        for trade in self._backtest[self._count :]:
            if past := past_of(trade, self._plan_of(trade), self._candle):
                self._history.add(past)
        self._count = len(self._backtest)

    def _read_database(self) -> None:
        # freqtrade corrects a closed trade when its fees arrive late: results are compared too.
        columns = select(Trade.id, Trade.close_date, Trade.close_profit_abs)
        rows = Trade.session.execute(columns.where(Trade.is_open.is_(False))).all()
        changed = [row.id for row in rows if self._known.get(row.id, (None,))[0] != tuple(row)]
        if not changed and len(rows) == len(self._known):
            return
        states = {row.id: tuple(row) for row in rows}
        self._known = {id_: known for id_, known in self._known.items() if id_ in states}
        # Few are asked for by name; all at once at the start.
        named = Trade.id.in_(changed) if len(changed) <= 100 else Trade.is_open.is_(False)
        for trade in Trade.get_trades([named]):
            past = past_of(trade, self._plan_of(trade), timedelta(0))
            self._known[trade.id] = (states.get(trade.id), past)
        self._history = History(past for _, past in self._known.values() if past)


def past_of(trade: LocalTrade, plan: TradePlan | None, candle: timedelta) -> PastTrade | None:
    """A closed trade, as the ledger sees it.

    None for one that says nothing: without a stop, or never filled.
    """
    if trade.close_rate is None or trade.close_date is None:
        return None
    entries = [order for order in trade.orders if order.ft_order_side == trade.entry_side]
    read = ReportTrade(
        number=trade.id,
        pair=trade.pair,
        side="short" if trade.is_short else "long",
        leverage=float(trade.leverage or 1),
        amount=float(sum(order.safe_filled for order in entries) or trade.amount),
        opened=trade.open_date_utc,
        closed=trade.close_date_utc,
        entry=float(trade.open_rate),
        exit=float(trade.close_rate),
        stop=float(plan.stop if plan else trade.initial_stop_loss or 0),
        target=plan.target if plan else None,
        confidence=plan.confidence if plan else None,
        fee=float(trade.fee_open or 0),
        profit=float(trade.close_profit_abs or 0),
        tag=trade.enter_tag or "",
        exit_reason=trade.exit_reason or "",
        regime=plan.regime if plan else "",
    )
    return past_trade(read, candle)


def past_trade(trade: ReportTrade, candle: timedelta) -> PastTrade | None:
    """A trade of a report, as the ledger sees it."""
    r = trade.r
    if r is None or trade.stop == trade.entry:
        return None
    target = trade.target or trade.entry + MIN_REWARD_RISK * (trade.entry - trade.stop)
    return PastTrade(
        pair=trade.pair,
        side=trade.side,
        tag=trade.tag,
        regime=trade.regime or UNKNOWN,
        known=trade.closed + candle,
        r=r,
        outcome=outcome(trade.exit, trade.stop, target),
    )


def past_trades(source: Source) -> Iterator[PastTrade]:
    """The trades of a report's source that say something."""
    for trade in source.trades:
        if past := past_trade(trade, source.candle):
            yield past


@cache
def shipped_prior() -> History:
    """The trades of the backtest that the shipped expectation is of, each with its date.

    A signal sees only what was closed before it, so they give a backtest of the same candles
    nothing away. benchmarks/expectation.py writes them.
    """
    text = files("bubbybot_freqtrade.learning").joinpath("prior.json").read_text("utf-8")
    rows = json.loads(text)
    return History(
        PastTrade(**row | {"known": datetime.fromisoformat(row["known"])}) for row in rows
    )


def read_prior(path: str | None) -> History:
    """The trades of the prior that the settings name; none without a name.

    :param path: the shipped one's name, or a backtest's result
    :raises ConfigurationError: when there is no such result, or it is of several strategies.
    """
    if path is None:
        return History()
    if path == SHIPPED_PRIOR:
        return shipped_prior()
    try:
        return History(past_trades(read_backtest(Path(path))))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"Config setting bubbybot.learning.prior = {path!r} is no backtest result: "
            f"{' '.join(str(error).split())}"
        ) from error
