"""Which of a side's positions, and of the orders that close them, are those of the bot's trade.

In hedge mode a side can have a position in each margin mode: the trade's own, and its owner's.
"""

from collections.abc import Callable, Iterable

from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.closings import is_of_mode

# Kept at a time; a question more for each that was forgotten.
_MOST_ENTRIES = 1_000


class MarginModes:
    """Tells a trade's position from another one of the same side.

    :param exchange: freqtrade's, in whose margin mode its trades are, but for those from before its
        owner has changed the setting
    :param order: an order of a pair by its id, None when BloFin doesn't know it
    """

    def __init__(self, exchange: Exchange, order: Callable[[str, str], CcxtOrder | None]) -> None:
        self._exchange = exchange
        self._order = order
        # By the id of an entry: that does not change.
        self._modes: dict[str, str | None] = {}

    def position(
        self, rows: Iterable[CcxtPosition], pair: str, side: TradeSide
    ) -> CcxtPosition | None:
        """The one of these positions that a trade of that pair and side has, or would add to."""
        held = _of_side(rows, pair, side)
        own = next((row for row in held if row["marginMode"] == self._margin_mode), None)
        if own is not None or not held or not self._exchange._api.is_hedged({}):
            return own or next(iter(held), None)
        return held[0] if self._mode_of_entry(pair) in (None, held[0]["marginMode"]) else None

    def has(self, position: CcxtPosition, rows: Iterable[CcxtPosition]) -> bool:
        """Whether a position, one of these or older, is the one that its pair's trade has."""
        pair, side = position["symbol"], position["side"]
        ours = self.position(rows, pair, side) or self.position([position], pair, side)
        return ours is not None and ours["marginMode"] == position["marginMode"]

    def share(
        self,
        rows: Iterable[CcxtPosition],
        pair: str,
        side: TradeSide,
        contracts: float,
        mode: str | None,
    ) -> float:
        """Part that so many contracts are of a position, at most 1; 1 where none is held, 0 of one
        that isn't the trade's.

        :param mode: the position's margin mode; None for all that is held of the side
        """
        held = _of_side(rows, pair, side)
        ours = self.position(held, pair, side)
        if mode is not None and self._exchange._api.is_hedged({}):
            its = self._mode_of_entry(pair) if ours is None else ours["marginMode"]
            if mode != (its or mode):
                return 0.0
            held = [] if ours is None else [ours]
        whole = sum(row["contracts"] for row in held)
        return min(contracts / whole, 1.0) if whole and contracts else 1.0

    def orders(
        self, orders: list[CcxtOrder], rows: Iterable[CcxtPosition], pair: str, side: TradeSide
    ) -> list[CcxtOrder]:
        """Those of the orders that close a side which close its trade's position, seen or not."""
        position = self.position(rows, pair, side)
        mode = self._margin_mode if position is None else position["marginMode"]
        return [order for order in orders if is_of_mode(order, mode)]

    @property
    def _margin_mode(self) -> str:
        return self._exchange.margin_mode.value

    def _mode_of_entry(self, pair: str) -> str | None:
        """Margin mode that the entry of a pair's open trade was sent in; None where unknown."""
        entry = database.first_entry(pair) if database.is_open() else None
        if entry is None:
            return None
        if entry.order_id not in self._modes:
            order = self._order(entry.order_id, pair)
            if len(self._modes) >= _MOST_ENTRIES:
                self._modes.clear()
            self._modes[entry.order_id] = order["info"].get("marginMode") if order else None
        return self._modes[entry.order_id]


def _of_side(rows: Iterable[CcxtPosition], pair: str, side: TradeSide) -> list[CcxtPosition]:
    return [r for r in rows if (r["symbol"], r["side"]) == (pair, side) and r["contracts"]]
