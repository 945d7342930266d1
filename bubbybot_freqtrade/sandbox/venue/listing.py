"""Changes to what is listed, and what they do to the accounts that trade it."""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.instrument_change import InstrumentChange
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from bubbybot_freqtrade.sandbox.venue.triggers import Triggers


class Listing:
    """The venue's list of instruments."""

    def __init__(
        self, venue: Venue, clearing: Clearing, matching: Matching, triggers: Triggers
    ) -> None:
        """Orders are canceled and positions closed by the other parts."""
        self.venue = venue
        self.clearing = clearing
        self.matching = matching
        self.triggers = triggers

    def delist(self, inst_id: str) -> None:
        """What an instrument's expireTime brings: orders canceled, positions closed at mark."""
        for account in self.venue.accounts.values():
            for order in account.live_orders(inst_id):
                self.matching.cancel(account, order, "system_canceled")
            for tpsl_order in account.live_tpsl(inst_id):
                self.triggers.cancel_tpsl(account, tpsl_order, "system_canceled")
            for algo in account.live_algo(inst_id):
                self.triggers.cancel_algo(account, algo, "system_canceled")
            for position in tuple(account.positions.values()):
                if position.inst_id == inst_id:
                    order = self.clearing.closing_order(account, position, "normal", "venue")
                    mark = self.venue.mark_price(inst_id)
                    self.clearing.apply_fill(account, order, mark, order.size, maker=False)
                    self.venue.emit("orders", account, order)
                    self.venue.emit("account", account)

    def change(self, inst_id: str, change: InstrumentChange) -> None:
        """Change an instrument; one that goes is delisted first, one that has gone may come."""
        comes = change.state == "live" and inst_id in self.venue.market.instruments
        before = self.venue.market.instruments[inst_id] if comes else self.venue.instrument(inst_id)
        if change.state == "gone":
            self.delist(inst_id)
        if change.contract_value is not None:
            self._recut(inst_id, before.contract_value / change.contract_value)
        changes = change.model_dump(mode="json", exclude_none=True)
        self.venue.state.instrument_changes.setdefault(inst_id, {}).update(changes)
        self.venue.reload_instruments()
        self.venue.on_change()

    def _recut(self, inst_id: str, factor: Decimal) -> None:
        """Give what stands `factor` times its contracts, and so keep its base units."""
        for account in self.venue.accounts.values():
            for order in account.live_orders(inst_id):
                self.matching.cancel(account, order, "system_canceled")
            for tpsl_order in account.live_tpsl(inst_id):
                if not tpsl_order.is_entire_position:
                    tpsl_order.size *= factor
            for position in account.positions.values():
                if position.inst_id == inst_id:
                    position.recut(factor)
                    self.venue.emit("positions", account, position)
