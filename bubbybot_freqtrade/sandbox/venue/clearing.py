"""Fills into positions, positions into money: fees, funding and liquidation of accounts."""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue import margin
from bubbybot_freqtrade.sandbox.venue.accounts import (
    Account,
    ClosedPosition,
    Position,
    position_key,
)
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide
from bubbybot_freqtrade.sandbox.venue.orders import Fill, Order, Tpsl
from bubbybot_freqtrade.sandbox.venue.wallets import Wallets


class Clearing(Wallets):
    """Books fills and keeps accounts solvent."""

    # Fills

    def apply_fill(
        self, account: Account, order: Order, price: Decimal, size: Decimal, *, maker: bool
    ) -> Fill:
        """Book one execution in order, position and ledger; that it may happen is not checked."""
        settings = self.venue.settings
        contract_value = self.venue.instrument(order.inst_id).contract_value
        rate = settings.maker_fee if maker else settings.taker_fee
        key = position_key(order.inst_id, order.margin_mode, order.position_side, order.slot)
        position = account.positions.get(key)
        closing = ZERO
        if position is not None and position.closing_side == order.side:
            closing = min(size, position.size)
        opening = size - closing
        trade_id = self.venue.new_id()
        pnl = ZERO
        if position is not None and closing:
            fee = price * closing * contract_value * rate
            pnl = self._reduce(account, position, order, price, closing, fee)
            self._post(account, "realized_pnl", pnl, order, position, trade_id)
            self._post(account, "fee", -fee, order, position, trade_id)
            self.venue.emit("positions", account, position)
        if opening:
            fee = price * opening * contract_value * rate
            opened = self._increase(account, key, order, price, opening, fee)
            self._post(account, "fee", -fee, order, opened, trade_id)
            self.venue.emit("positions", account, opened)
        return self._record(
            account, order, price, size, rate * contract_value, pnl, trade_id, maker
        )

    def _record(
        self,
        account: Account,
        order: Order,
        price: Decimal,
        size: Decimal,
        fee_per_unit: Decimal,
        pnl: Decimal,
        trade_id: str,
        maker: bool,
    ) -> Fill:
        fee = price * size * fee_per_unit
        order.filled += size
        order.fill_value += price * size
        order.fee += fee
        order.pnl += pnl
        order.updated_ms = self.venue.now_ms
        order.state = "filled" if order.remaining == 0 else "partially_filled"
        if not order.is_open:
            account.open_orders.pop(order.order_id, None)
        fill = Fill(
            trade_id,
            order.order_id,
            order.inst_id,
            order.position_side,
            order.side,
            price,
            size,
            fee,
            pnl,
            self.venue.now_ms,
            maker,
            order.broker_id,
        )
        account.fills.append(fill)
        return fill

    def _increase(
        self, account: Account, key: str, order: Order, price: Decimal, size: Decimal, fee: Decimal
    ) -> Position:
        position = account.positions.get(key)
        if position is None:
            position = self._open(order)
            account.positions[key] = position
        value = price * size * position.contract_value
        position.size += size
        position.entry_value += value
        position.opened_size += size
        position.opened_value += value
        position.fee += fee
        position.leverage = order.leverage
        position.max_size = max(position.max_size, position.size)
        position.updated_ms = self.venue.now_ms
        if position.margin_mode == "isolated":
            position.margin += divide(value, order.leverage)
        return position

    def _open(self, order: Order) -> Position:
        now = self.venue.now_ms
        return Position(
            position_id=self.venue.new_id(),
            history_id=self.venue.new_id(),
            inst_id=order.inst_id,
            margin_mode=order.margin_mode,
            position_side=order.position_side,
            direction=1 if order.side == "buy" else -1,
            leverage=order.leverage,
            contract_value=self.venue.instrument(order.inst_id).contract_value,
            created_ms=now,
            updated_ms=now,
            slot=order.slot,
        )

    def _reduce(
        self,
        account: Account,
        position: Position,
        order: Order,
        price: Decimal,
        size: Decimal,
        fee: Decimal,
    ) -> Decimal:
        """Close `size` contracts; the realised profit before fees, in USDT."""
        whole = size == position.size
        share = (
            position.entry_value if whole else divide(position.entry_value * size, position.size)
        )
        released = position.margin if whole else divide(position.margin * size, position.size)
        value = price * size * position.contract_value
        pnl = position.direction * (value - share)
        position.size -= size
        position.entry_value -= share
        position.margin -= released
        position.closed_size += size
        position.closed_value += value
        position.realized_pnl += pnl
        position.fee += fee
        position.updated_ms = self.venue.now_ms
        if order.category == "full_liquidation":
            position.liquidated_size += size
        if whole:
            del account.positions[
                position_key(
                    position.inst_id, position.margin_mode, position.position_side, position.slot
                )
            ]
        account.closed_positions[position.history_id] = self._history_row(position)
        return pnl

    def _history_row(self, position: Position) -> ClosedPosition:
        opened_margin = divide(position.opened_value, position.leverage)
        realized = position.realized_pnl - position.fee
        if position.liquidated_size:
            state = "liquidated"
        else:
            state = "partially_closed" if position.size else "closed"
        return ClosedPosition(
            history_id=position.history_id,
            position_id=position.position_id,
            inst_id=position.inst_id,
            margin_mode=position.margin_mode,
            position_side=position.position_side,
            direction=position.direction,
            leverage=position.leverage,
            created_ms=position.created_ms,
            updated_ms=position.updated_ms,
            state=state,
            close_size=position.closed_size,
            max_size=position.max_size,
            liquidated_size=position.liquidated_size,
            open_average=divide(
                position.opened_value, position.opened_size * position.contract_value
            ),
            close_average=divide(
                position.closed_value, position.closed_size * position.contract_value
            ),
            realized_pnl=realized,
            realized_ratio=divide(realized, opened_margin),
            fee=-position.fee,
        )

    def _post(
        self,
        account: Account,
        kind: str,
        amount: Decimal,
        order: Order,
        position: Position,
        trade_id: str,
    ) -> None:
        account.ledger.post(
            self.venue.new_id(),
            self.venue.now_ms,
            kind,  # type: ignore[arg-type]
            amount,
            inst_id=position.inst_id,
            position_side=position.position_side,
            margin_mode=position.margin_mode,
            position_id=position.position_id,
            order_id=order.order_id,
            trade_id=trade_id,
        )

    # Leverage

    def change_leverage(self, position: Position, leverage: Decimal) -> None:
        """Give an open position another leverage; an isolated one keeps or gets margin for it."""
        position.leverage = leverage
        if position.margin_mode == "isolated":
            position.margin = divide(position.entry_value, leverage)

    # Funding

    def settle_funding(self, account: Account) -> None:
        """Exchange funding at mark price: longs pay a positive rate, shorts receive it.

        Taken from or added to the wallet, and by one reading to the margin of an isolated position.
        """
        for position in tuple(account.positions.values()):
            rate = self.venue.market.funding_rate(position.inst_id, self.venue.now_ms)
            mark = self.venue.mark_price(position.inst_id)
            amount = -position.direction * position.base_size * mark * rate
            if (
                position.margin_mode == "isolated"
                and self.venue.settings.isolated_funding == "margin"
            ):
                position.margin = max(ZERO, position.margin + amount)
                self.venue.emit("positions", account, position)
            account.ledger.post(
                self.venue.new_id(),
                self.venue.now_ms,
                "funding",
                amount,
                inst_id=position.inst_id,
                position_side=position.position_side,
                margin_mode=position.margin_mode,
                position_id=position.position_id,
            )
        if account.positions:
            self.venue.emit("account", account)

    # Liquidation

    def liquidate(self, account: Account, position: Position) -> Order:
        """Take the position over: isolated at its bankruptcy price, cross at the mark price.

        So an isolated position never costs more than its margin.
        """
        if position.margin_mode == "isolated":
            price = margin.bankruptcy_price(
                position.direction,
                position.base_size,
                position.entry_value,
                position.margin,
                self.venue.settings.taker_fee,
                self.venue.instrument(position.inst_id).tick_size,
            )
        else:
            price = self.venue.mark_price(position.inst_id)
        order = self.closing_order(account, position, "full_liquidation", "venue")
        self.apply_fill(account, order, price, order.size, maker=False)
        return order

    def cover_shortfall(self, account: Account) -> None:
        """After cross positions are gone: the insurance fund pays what they lost beyond the wallet.

        Isolated margins are not the cross positions' to lose.
        """
        locked = sum((p.margin for p in account.positions.values()), ZERO)
        shortfall = locked - account.ledger.balance
        if shortfall > 0:
            account.ledger.post(self.venue.new_id(), self.venue.now_ms, "insurance", shortfall)

    def closing_order(
        self, account: Account, position: Position, category: str, origin: str
    ) -> Order:
        """A reduce-only market order for all of the position, entered in the account's orders."""
        now = self.venue.now_ms
        order = Order(
            order_id=self.venue.new_id(),
            client_order_id="",
            inst_id=position.inst_id,
            margin_mode=position.margin_mode,
            position_side=position.position_side,
            side=position.closing_side,
            order_type="market",
            price=ZERO,
            size=position.size,
            reduce_only=True,
            leverage=position.leverage,
            created_ms=now,
            updated_ms=now,
            tpsl=Tpsl(),
            category=category,
            origin=origin,
            slot=position.slot,
        )
        account.orders[order.order_id] = order
        account.open_orders[order.order_id] = None
        return order
