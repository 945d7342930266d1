"""What probes work with: one pair of one account, all orders journaled, all entries with a stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import NoAnswerError, RawBlofin, Reply
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.instrument import Instrument
from bubbybot_freqtrade.verify.journal import Intent, Journal, Setting
from bubbybot_freqtrade.verify.view import OPPOSITE, TRAILING_STOP, NotMeasuredError, PairView

# How far stops and targets stand from the price: far enough that ordinary minutes don't reach them.
STOP_SHARE = Decimal("0.03")
# Where an order waits that is not meant to fill; a stop attached to it lies beyond.
FAR_SHARE = Decimal("0.08")
# What an order that can fill may be worth where the smallest size cannot answer.
LARGEST_USDT = 500
# An order that can fill is sent with no more leverage than leaves room for its stop.
MOST_LEVERAGE = 10
LEVERAGE = 5


class Desk(PairView):
    """One pair, one account."""

    def __init__(
        self,
        client: RawBlofin,
        journal: Journal,
        clock: Clock,
        instrument: Instrument,
        margin_mode: str,
        *,
        hedged: bool,
    ) -> None:
        super().__init__(client, journal, clock, instrument, hedged=hedged)
        self.margin_mode = margin_mode
        # By position side, where it is known.
        self._leverages: dict[str, Decimal] = {}

    # Orders

    def send_order(
        self, side: str, size: Decimal | str, *, closing: bool = False, **fields: Any
    ) -> tuple[str, Reply]:
        """Journal and send an order; a market order unless `price` is given.

        Without reduceOnly it carries a stop, and `fields` may say which. Our id and the answer.
        """
        client_order_id = self.journal.new_id()
        if fields.get("reduceOnly") != "true":
            if "slTriggerPrice" not in fields:
                fields |= self.stop_for(side, fields.get("price"))
            if fields.get("orderType") != "fok":
                self._make_room_for_stop(side)
        body = {
            "instId": self.instrument.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side(side, closing=closing),
            "side": side,
            "orderType": "limit" if "price" in fields else "market",
            "size": str(size),
            "clientOrderId": client_order_id,
            **self._broker(),
            **{name: str(value) for name, value in fields.items()},
        }
        return client_order_id, self._send("order", "trade/order", body)

    def _make_room_for_stop(self, side: str) -> None:
        known = self._leverages.get(self._leverage_side(side))
        if known is None or known > MOST_LEVERAGE:
            reply = self.set_leverage(LEVERAGE, side)
            if not reply.ok:
                raise NotMeasuredError(f"the leverage cannot be lowered: {reply.words}")

    def send_tpsl(self, side: str, size: Decimal | str, **fields: Any) -> tuple[str, Reply]:
        """Journal and send a TP/SL order that closes with `side`."""
        return self._send_closing("tpsl", side, size, fields)

    def send_trailing(self, side: str, size: Decimal | str, **fields: Any) -> tuple[str, Reply]:
        """Journal and send a trailing stop that closes with `side`."""
        return self._send_closing("algo", side, size, {"orderType": TRAILING_STOP, **fields})

    def _send_closing(
        self, kind: str, side: str, size: Decimal | str, fields: Mapping[str, Any]
    ) -> tuple[str, Reply]:
        """Journal and send an order that waits for its trigger, a `tpsl` or an `algo`."""
        client_order_id = self.journal.new_id()
        body = {
            "instId": self.instrument.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side(side, closing=True),
            "side": side,
            "size": str(size),
            "reduceOnly": "true",
            "clientOrderId": client_order_id,
            **self._broker(),
            **{name: str(value) for name, value in fields.items()},
        }
        reply = self._send(kind, f"trade/order-{kind}", body)
        if reply.ok and reply.row.get(f"{kind}Id"):
            self.journal.learn(str(reply.row[f"{kind}Id"]), client_order_id)
        return client_order_id, reply

    def _send(self, kind: str, path: str, body: dict[str, str]) -> Reply:
        self.journal.intend(
            Intent(
                kind=kind,
                client_order_id=body["clientOrderId"],
                inst_id=body["instId"],
                side=body["side"],
                position_side=body["positionSide"],
                size=body["size"],
                at_ms=self.clock.now_ms(),
                stop=body.get("slTriggerPrice", ""),
                target=body.get("tpTriggerPrice", ""),
            )
        )
        reply = self.client.call("POST", path, body)
        self.journal.answered(body["clientOrderId"], reply.code)
        return reply

    def _broker(self) -> dict[str, str]:
        broker = self.client.options.get("brokerId")
        return {"brokerId": broker} if broker else {}

    def send_close(self, side: str = "buy") -> tuple[str, Reply]:
        """Journal and send trade/close-position for what `side` has opened."""
        client_order_id = self.journal.new_id()
        body = {
            "instId": self.instrument.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side(side),
            "clientOrderId": client_order_id,
            **self._broker(),
        }
        self.journal.intend(
            Intent(
                kind="order",
                client_order_id=client_order_id,
                inst_id=self.instrument.inst_id,
                side=OPPOSITE[side],
                position_side=body["positionSide"],
                size="-1",
                at_ms=self.clock.now_ms(),
            )
        )
        reply = self.client.call("POST", "trade/close-position", body)
        self.journal.answered(client_order_id, reply.code)
        return client_order_id, reply

    def cancel(self, client_order_id: str) -> Reply:
        """Cancel a plain order of ours."""
        return self.client.call(
            "POST",
            "trade/cancel-order",
            {"instId": self.instrument.inst_id, "clientOrderId": client_order_id},
        )

    def cancel_tpsl(self, tpsl_id: str) -> Reply:
        """Cancel a TP/SL."""
        body = [{"instId": self.instrument.inst_id, "tpslId": tpsl_id}]
        return self.client.call("POST", "trade/cancel-tpsl", body)

    def cancel_trailing(self, algo_id: str) -> Reply:
        """Cancel a trailing stop."""
        body = {"instId": self.instrument.inst_id, "algoId": algo_id}
        return self.client.call("POST", "trade/cancel-algo", body)

    # Prices and sizes

    @property
    def smallest(self) -> Decimal:
        """The smallest order, in contracts."""
        return self.instrument.min_size

    def stop_for(self, side: str, price: Any = None) -> dict[str, Any]:
        """A stop for an entry with `side` at `price` or at the market."""
        at = self.prices().last if price is None else Decimal(str(price))
        share = 1 - STOP_SHARE if side == "buy" else 1 + STOP_SHARE
        return {
            "slTriggerPrice": str(self.instrument.price(at * share)),
            "slOrderPrice": "-1",
        }

    def target_for(self, side: str, price: Any = None) -> dict[str, Any]:
        """A target for the same."""
        at = self.prices().last if price is None else Decimal(str(price))
        share = 1 + STOP_SHARE if side == "buy" else 1 - STOP_SHARE
        return {
            "tpTriggerPrice": str(self.instrument.price(at * share)),
            "tpOrderPrice": "-1",
        }

    def far_price(self) -> Decimal:
        """Where a buy waits without filling."""
        return self.instrument.price(self.prices().last * (1 - FAR_SHARE))

    # States that probes begin from

    @contextmanager
    def long(self, lots: int = 1, **fields: Any) -> Iterator[Long]:
        """A long position of `lots` smallest sizes with its stop; taken away by the run."""
        client_order_id, reply = self.send_order("buy", self.smallest * lots, **fields)
        if not reply.ok:
            raise NotMeasuredError(f"no position: {reply.words}")
        filled = self.eventually(lambda: self._filled(client_order_id))
        if not filled:
            raise NotMeasuredError("the market order did not fill")
        size = self.smallest * lots
        position = self.eventually(
            lambda: (row := self.position()) and Decimal(row["positions"]) == size and row
        )
        if not position:
            raise NotMeasuredError("the order filled, and its position was not shown")
        yield Long(client_order_id, Decimal(filled["averagePrice"]), position)

    def _filled(self, client_order_id: str) -> dict[str, Any]:
        row = self.order(client_order_id)
        return row if row.get("state") == "filled" else {}

    def has_filled(self, client_order_id: str) -> bool:
        """Wait for an order of ours to fill."""
        return bool(self.eventually(lambda: self._filled(client_order_id)))

    @contextmanager
    def waiting(self, **fields: Any) -> Iterator[str]:
        """A buy that waits far below the market; our id. Taken away by the run."""
        client_order_id, reply = self.send_order(
            "buy", self.smallest, price=self.far_price(), **fields
        )
        if not reply.ok:
            raise NotMeasuredError(f"no waiting order: {reply.words}")
        self.placed(client_order_id)
        yield client_order_id

    def set_leverage(self, leverage: Decimal | int, side: str = "buy") -> Reply:
        """Set the pair's leverage; what it was is given back when all is done."""
        basics = {"instId": self.instrument.inst_id, "marginMode": self.margin_mode}
        basics["positionSide"] = position_side = self._leverage_side(side)
        name = f"leverage {position_side}"
        if not any(known.name == name for known in self.journal.settings):
            before = self.leverage(side)
            restore = {**basics, "leverage": str(before)}
            self.journal.change(Setting(name, "account/set-leverage", restore))
        self._leverages.pop(position_side, None)
        body = {**basics, "leverage": str(leverage)}
        reply = self.client.call("POST", "account/set-leverage", body)
        if reply.ok:
            self._leverages[position_side] = Decimal(leverage)
        return reply

    def _leverage_side(self, side: str) -> str:
        """Long and short have leverages of their own only when isolated in hedge mode."""
        return self.position_side(side) if self.margin_mode == "isolated" else "net"

    def leverage(self, side: str = "buy") -> Decimal:
        """The pair's leverage as it is set."""
        rows = self.rows("account/batch-leverage-info", marginMode=self.margin_mode)
        wanted = self.position_side(side)
        fitting = [row for row in rows if row.get("positionSide") in (None, "", wanted, "net")]
        if not fitting:
            raise NoAnswerError("the pair's leverage is not told")
        return Decimal(fitting[0]["leverage"])


@dataclass(frozen=True, slots=True)
class Long:
    """An open long: our id of its entry, the price, and the venue's row."""

    entry_id: str
    price: Decimal
    row: dict[str, Any]
