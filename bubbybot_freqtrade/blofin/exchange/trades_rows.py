"""Positions as freqtrade's wallet is to see them: those of its trades, also in a trade's first
seconds.

freqtrade's wallet keeps one position a pair, and before an exit it looks there whether it still has
what its trade has. A list that lags behind a fill would make it look for an order that has closed
the trade; so would the position of the other side, which in hedge mode is somebody else's.
"""

from datetime import timedelta
from typing import Any

from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtPosition
from freqtrade.persistence import Trade
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.exchange.requests import Requests

# How long after a fill a list that doesn't have it yet is behind, and no proof of an end.
LISTS_LAG = timedelta(seconds=10)


class RowsOfTrades:
    """A list of positions with the rows of freqtrade's trades in it.

    :param exchange: freqtrade's, for its margin mode
    """

    def __init__(self, exchange: Exchange, requests: Requests) -> None:
        self._exchange = exchange
        self._requests = requests
        # By trade the entry up to which a list has shown all of it: what a later one lacks is gone.
        self._shown: dict[int, str] = {}

    def of(self, listed: list[CcxtPosition], pair: str | None = None) -> list[CcxtPosition]:
        """BloFin's rows, those of open trades last: freqtrade takes the last one of a pair.

        A row whose trade has grown in the last seconds, by an entry that BloFin says has filled,
        has the trade's size until a list has shown it.

        :param listed: amounts in contracts
        """
        if not database.is_open():
            # freqtrade makes the exchange first.
            return listed
        # What a trade on a market that is gone has, is not known in contracts.
        trades = [
            trade
            for trade in database.open_trades()
            if trade.amount and pair in (None, trade.pair) and trade.pair in self._exchange.markets
        ]
        self._shown = {t.id: self._shown[t.id] for t in trades if t.id in self._shown}
        rows = list(listed)
        for trade in trades:
            row = self._row_of(trade, listed)
            if row is not None:
                rows = [other for other in rows if other is not row]
            row = self._grown(trade, row)
            rows += [row] if row is not None else []
        return rows

    def _row_of(self, trade: Trade, listed: list[CcxtPosition]) -> CcxtPosition | None:
        return self._requests.of_trade.position(listed, trade.pair, trade.trade_direction)

    def _grown(self, trade: Trade, row: CcxtPosition | None) -> CcxtPosition | None:
        contracts = self._requests.exact_contracts(trade.pair, trade.amount)
        shown = row["contracts"] if row is not None else 0.0
        entries = (o for o in trade.orders if o.ft_order_side == trade.entry_side and o.filled)
        filled = [order for order in entries if order.order_filled_utc is not None]
        last = max(filled, key=lambda order: order.order_filled_utc, default=None)
        if last is None:
            return row
        if shown >= contracts * (1 - 1e-9):
            self._shown[trade.id] = last.order_id
            return row
        if self._shown.get(trade.id) == last.order_id or not self._is_young(last):
            return row
        return {
            "symbol": trade.pair,
            "side": trade.trade_direction,
            "marginMode": self._exchange.margin_mode.value,
            "leverage": trade.leverage,
            "initialMargin": trade.stake_amount,
            **(row if row is not None else {}),
            "contracts": contracts,
        }

    def _is_young(self, entry: Any) -> bool:
        age = self._requests.clock.venue_ms(dt_now()) - dt_ts(entry.order_filled_utc)
        return age < LISTS_LAG.total_seconds() * 1000
