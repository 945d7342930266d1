"""Amounts: lots that floats lose, orders too large or too small, contracts of many units."""

from __future__ import annotations

from decimal import Decimal

from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id
from bubbybot_freqtrade.drills.outside.case import Case, entered, held, live_stops, size_held

DOGE, PEPE = "DOGE/USDT:USDT", "PEPE/USDT:USDT"

# Contracts to enter and to leave first, where a float product with the contract value is short of
# the lot or beyond it.
PARTS = {
    BTC: (("3.7", "1.8"), ("8.2", "2.9"), ("11.5", "5.7"), ("5.8", "1.7")),
    ETH: (("2.9", "1.1"), ("5.7", "2.8")),
    SOL: (("1.15", "0.57"), ("2.3", "1.1")),
}


def _partial_exits(run: Run, desk: Desk, case: str) -> None:
    contracts = desk.sandbox.engine.venue.instruments
    for pair, rows in PARTS.items():
        value = contracts[inst_id(pair)].contract_value
        for whole, part in rows:
            price = desk.sandbox.engine.venue.last_price(inst_id(pair))
            stake = Decimal(whole) * value * price * Decimal("1.003") / 5
            trade = entered(desk, pair, stake_amount=float(stake))
            before = size_held(desk, pair)
            run.must(before > 0, case, f"{pair} was not entered")
            if trade is None:
                continue
            RPC(desk.bot)._rpc_force_exit(str(trade.id), amount=float(Decimal(part) * value))
            desk.loop(2)
            left = size_held(desk, pair)
            run.must(
                before - left == Decimal(part), case, f"{pair}: {part} of {before} left {left}"
            )
            desk.exit(pair)
            desk.loop(2)
            run.must(held(desk, pair) is None, case, f"{pair}: {size_held(desk, pair)} left over")


def _additions(run: Run, desk: Desk, case: str) -> None:
    for stake in (37.0, 11.0, 53.0):
        entered(desk, BTC, stake_amount=stake)
    trade = next(iter(Trade.get_open_trades()), None)
    run.must(trade is not None and trade.nr_of_successful_entries == 3, case, "it was not added to")
    desk.exit(BTC)
    desk.loop(2)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} left over")


def _leverage_of_large_contracts(run: Run, desk: Desk, case: str) -> None:
    for pair in (DOGE, PEPE):
        trade = entered(desk, pair, stake_amount=25.0, leverage=20.0)
        position = held(desk, pair)
        run.must(
            position is not None and position.leverage == 20 and trade is not None,
            case,
            f"{pair} at {position.leverage if position else 'no'}x instead of 20x",
        )


def _larger_than_a_market_order(run: Run, desk: Desk, case: str) -> None:
    # A stop goes out as one market order: what is larger could not be closed by it.
    entered(desk, BTC, price=50_100.0, order_type="limit")
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} entered at once")
    entered(desk, BTC, stake_amount=40.0)
    before = size_held(desk, BTC)
    run.must(0 < before <= 6, case, f"{before} held of an entry that fits")
    entered(desk, BTC, stake_amount=40.0)
    run.must(size_held(desk, BTC) == before, case, f"{before} became {size_held(desk, BTC)}")
    run.must(len(live_stops(desk, BTC)) == 1, case, f"{len(live_stops(desk, BTC))} stops stand")
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} left over")


def _small_market_orders(desk: Desk) -> None:
    desk.sandbox.change_instrument("BTC-USDT", max_market_size="6")


def _one_lot_filled(run: Run, desk: Desk, case: str) -> None:
    desk.enter(ETH, price=1_950.0, order_type="limit")
    desk.loop()
    (order,) = desk.watch.account.live_orders(inst_id(ETH))
    desk.sandbox.fill(order.order_id, Decimal("0.1"))
    desk.loop(2)
    run.must(len(live_stops(desk, ETH)) == 1, case, "the filled lot has no stop")
    desk.loop(4, minutes=6)
    waiting = list(desk.watch.account.live_orders(inst_id(ETH)))
    run.must(not waiting, case, "the rest may still fill")


def _lot_outgrown(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC, stake_amount=37.0)
    desk.sandbox.change_instrument("BTC-USDT", lot_size="1", min_size="1")
    _reload(desk)
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} can't be left")


def _lot_outgrown_while_it_waits(run: Run, desk: Desk, case: str) -> None:
    desk.enter(BTC, price=49_000.0, order_type="limit", stake_amount=37.0)
    desk.loop()
    (order,) = desk.watch.account.live_orders(inst_id(BTC))
    desk.sandbox.change_instrument("BTC-USDT", lot_size="1", min_size="1")
    _reload(desk)
    desk.sandbox.fill(order.order_id, order.size)
    desk.loop(3, minutes=0.3)
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} left over")


def _reload(desk: Desk) -> None:
    """Long enough for freqtrade to read the markets anew."""
    for _ in range(3):
        desk.loop(2, minutes=31)


def _contract_recut(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.sandbox.change_instrument(
        "BTC-USDT", contract_value="0.01", lot_size="0.01", min_size="0.01"
    )
    _reload(desk)
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} left over")


def _maximum_lowered(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.sandbox.change_instrument("BTC-USDT", max_market_size="4", max_limit_size="4")
    _reload(desk)
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} left over")


def _tick_coarser(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.sandbox.change_instrument("BTC-USDT", tick_size="5")
    _reload(desk)
    desk.bot.strategy.stop_at[BTC] = 49_503.3
    desk.loop(3, minutes=0.3)
    prices = [order.tpsl.sl_trigger or Decimal(0) for order in live_stops(desk, BTC)]
    well = len(prices) == 1 and not prices[0] % 5 and 49_490 < prices[0] < 49_510
    run.must(well, case, f"stops at {prices}")


CASES = (
    Case(1, "exits in parts", _partial_exits),
    Case(1, "additions", _additions, config={"position_adjustment_enable": True}),
    Case(9, "the lot grows under a trade", _lot_outgrown),
    Case(9, "the lot grows while an entry waits", _lot_outgrown_while_it_waits,
         config={"unfilledtimeout": {"entry": 600, "exit": 5, "unit": "minutes"}}),
    Case(9, "the contract value changes under a trade", _contract_recut),
    Case(9, "the largest order shrinks under a trade", _maximum_lowered),
    Case(9, "the tick grows under a trade", _tick_coarser),
    Case(
        10,
        "leverage of large contracts",
        _leverage_of_large_contracts,
        prices={DOGE: [(0, 0.2)], PEPE: [(0, 0.0000085)]},
    ),
    Case(
        11,
        "a position larger than a market order",
        _larger_than_a_market_order,
        config={"position_adjustment_enable": True},
        before=_small_market_orders,
    ),
    Case(24, "one lot filled and no more", _one_lot_filled),
)  # fmt: skip
