"""Taking away exactly what verify has left: its own orders, its own part of a position, no more.

The journal names every order that may exist. What the owner has opened by hand on the same pair
meanwhile stays: only the contracts that our own orders have filled are closed, and never more than
the position still has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.journal import POSITION_MODE, Intent
from bubbybot_freqtrade.verify.view import MALFORMED, OPPOSITE, NotMeasuredError, made_tpsl

# A request that was sent and never answered may still arrive, and what was accepted may be shown
# late: until an intent is this old, "unknown" does not mean that nothing came of it.
UNSURE_MS = 5_000
# How long a venue that does not answer is waited for; BloFin shuts out for five minutes and more.
PATIENCE_S = 900
ROUNDS = 6
_OPEN = ("live", "partially_filled")


class CleaningError(RuntimeError):
    """Something may be left; the message says what to do."""


@dataclass(slots=True)
class Cleaner:
    """Takes away what the desk's journal says may exist. `notes`: what the owner has to do."""

    desk: Desk
    notes: list[str] = field(default_factory=list)

    def clean(self, *, thorough: bool = False) -> None:
        """Take everything away, waiting out a venue that does not answer.

        :param thorough: wait also for what may appear late, and give the leverage back
        :raises CleaningError: when that is not possible
        """
        if not self.desk.journal.holds_something:
            return
        try:
            with self.desk.patience(PATIENCE_S):
                self._until_it_is_done(thorough=thorough)
        except NoAnswerError as error:
            raise CleaningError(
                f"Something may be left on {self.desk.instrument.inst_id} ({error}); a position "
                "has its stop. Run bubbybot verify --clean when the venue answers again."
            ) from error

    def _until_it_is_done(self, *, thorough: bool) -> None:
        while True:
            try:
                self._clean(thorough=thorough)
            except NoAnswerError as error:
                self.desk.wait_for_answers(error)
            except (NotMeasuredError, *MALFORMED) as error:
                self.desk.wait_for_answers(NoAnswerError(f"{type(error).__name__}: {error}"))
            else:
                return

    def _clean(self, *, thorough: bool) -> None:
        for _ in range(ROUNDS):
            orders = self._cancel_orders()
            # Those near the price first: once ours is closed, they would fire on the owner's. The
            # entry's own stop stands until then.
            self._cancel_tpsl(self._placed_alone)
            self._cancel_trailing()
            if not self._close(orders):
                break
        else:
            raise NoAnswerError("the position does not close")
        self._cancel_tpsl(_all)
        if any(_signed(row) for row in orders):
            # The list of positions may be behind: the next probe must not take ours for its own.
            self.desk.eventually(lambda: not self.desk.rows("account/positions"))
        if thorough:
            self._wait_for_late_ones()
        self.desk.journal.settle()
        self._restore(thorough=thorough)

    # Orders

    def _cancel_orders(self) -> list[dict[str, Any]]:
        """Every plain order of ours, canceled where it was open; the rows as they ended."""
        orders = [i for i in self.desk.journal.unsettled if i.kind == "order"]
        return [self._ended(intent, row) for intent in orders if (row := self._find(intent))]

    def _find(self, intent: Intent) -> dict[str, Any]:
        """The order of an intent, empty when there is surely none."""
        while True:
            row = self.desk.order(intent.client_order_id)
            outcome = self.desk.journal.outcomes.get(intent.client_order_id)
            if row or outcome not in (None, "0") or self._is_old(intent):
                return row
            self.desk.clock.sleep(0.5)

    def _is_old(self, intent: Intent) -> bool:
        return self.desk.clock.now_ms() - intent.at_ms >= UNSURE_MS

    def _ended(self, intent: Intent, row: dict[str, Any]) -> dict[str, Any]:
        for _ in range(ROUNDS):
            if row.get("state") not in _OPEN:
                return row
            # A refusal says that it has filled or is canceled: the next look shows which.
            self.desk.cancel(intent.client_order_id)
            row = self.desk.order(intent.client_order_id) or row
            if row.get("state") in _OPEN:
                self.desk.clock.sleep(0.5)
        raise NoAnswerError(f"order {intent.client_order_id} cannot be canceled")

    # The position

    def _close(self, orders: list[dict[str, Any]]) -> bool:
        """Close what is ours; False when nothing was left to close."""
        closed = False
        for position_side, ours in self._ours(orders).items():
            if not ours:
                continue
            side = "buy" if ours > 0 else "sell"
            held = self._held(side, position_side)
            size = min(abs(ours), held)
            if size:
                self.desk.send_order(OPPOSITE[side], size, closing=True, reduceOnly="true")
                closed = True
        return closed

    def _ours(self, orders: list[dict[str, Any]]) -> dict[str, Decimal]:
        """Signed contracts by position side that are open because of our orders."""
        ours: dict[str, Decimal] = {}
        for row in orders:
            side = row.get("positionSide") or "net"
            ours[side] = ours.get(side, Decimal(0)) + _signed(row)
        if any(ours.values()):
            for row in self._fired():
                side = row.get("positionSide") or "net"
                ours[side] = ours.get(side, Decimal(0)) + _signed(row)
        return ours

    def _fired(self) -> Iterator[dict[str, Any]]:
        """Orders that TP/SLs of unsettled intents have placed."""
        journal = self.desk.journal
        unsettled = {intent.client_order_id: intent for intent in journal.unsettled}
        for row in self.desk.rows("trade/orders-history", limit=100):
            if row.get("clientOrderId") in journal.intents:
                continue
            known = {row.get("algoClientOrderId"), journal.learned.get(str(row.get("algoId")))}
            is_fired = row.get("orderCategory") in ("tp", "sl")
            by_price = is_fired and any(made_tpsl(i, row) for i in unsettled.values())
            if known & unsettled.keys() or by_price:
                yield row

    def _held(self, side: str, position_side: str) -> Decimal:
        """What the position has in our direction; waited for, as it may be shown late."""
        return self.desk.eventually(lambda: self._position_size(side, position_side))

    def _position_size(self, side: str, position_side: str) -> Decimal:
        for row in self.desk.rows("account/positions"):
            size = Decimal(row["positions"] or 0)
            if row.get("positionSide") != position_side or not size:
                continue
            if position_side == "net" and (size > 0) != (side == "buy"):
                continue
            return abs(size)
        return Decimal(0)

    # TP/SL orders

    def _cancel_tpsl(self, which: Callable[[dict[str, Any]], bool]) -> None:
        for _ in range(ROUNDS):
            rows = [row for row in self.desk.tpsl_rows() if which(row)]
            for row in rows:
                # A refusal says that it is gone, or that it has fired: the next look shows.
                self.desk.cancel_tpsl(str(row["tpslId"]))
            if not rows:
                return
        raise NoAnswerError("a TP/SL cannot be canceled")

    def _placed_alone(self, row: dict[str, Any]) -> bool:
        journal = self.desk.journal
        return journal.intents[journal.learned[str(row["tpslId"])]].kind == "tpsl"

    def _wait_for_late_ones(self) -> None:
        """Until every intent is so old that no TP/SL of it can still come."""
        while any(not self._is_old(intent) for intent in self.desk.journal.intents.values()):
            self.desk.clock.sleep(1)
            self._cancel_tpsl(_all)
            self._cancel_trailing()

    # Trailing stops

    def _cancel_trailing(self) -> None:
        intents = self.desk.journal.intents.values()
        if not any(intent.kind == "algo" for intent in intents):
            return
        for _ in range(ROUNDS):
            rows = self.desk.trailing_rows()
            for row in rows:
                # A refusal says that it is gone, or that it has fired: the next look shows.
                self.desk.cancel_trailing(str(row["algoId"]))
            if not rows:
                return
        raise NoAnswerError("a trailing stop cannot be canceled")

    # Settings

    def _restore(self, *, thorough: bool) -> None:
        """Give settings back: the position mode at once, as the next orders are sent for it."""
        for setting in reversed(tuple(self.desk.journal.settings)):
            if not thorough and setting.name != POSITION_MODE:
                continue
            reply = self.desk.client.call("POST", setting.path, setting.restore)
            if not reply.ok and setting.name == POSITION_MODE:
                was = setting.restore["positionMode"]
                raise CleaningError(
                    f"No order of verify is left, but the account was in {was} before and cannot "
                    f"be switched back ({reply.words}): close what is open on it, then run "
                    "bubbybot verify --clean."
                )
            if not reply.ok:
                was = ", ".join(f"{name} {value}" for name, value in setting.restore.items())
                self.notes.append(
                    f"BloFin refuses to give back the {setting.name} ({reply.words}): set it in "
                    f"the app. It was: {was}."
                )
            self.desk.journal.restored(setting)


def _all(row: dict[str, Any]) -> bool:
    return True


def _signed(row: dict[str, Any]) -> Decimal:
    filled = Decimal(row.get("filledSize") or 0)
    return filled if row.get("side") == "buy" else -filled
