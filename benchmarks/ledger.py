"""What the ledger costs, beside the analysis of one pair and a backtest without it.

    python benchmarks/ledger.py

Prints, for a database of TRADES closed trades with orders and plans: the first look after a start,
another one, and what a signal's three patterns take, each as a share of what the three analyzers
take for the newest candles of one pair (15m, 1h and 4h), which a bot pays for every pair and
candle. Then a lively backtest with the ledger (risk and veto) beside the same without. Times are
the best of RUNS.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pandas as pd
from freqtrade.persistence import Order, Trade, init_db
from timing import RUNS, best

from bubbybot_freqtrade.learning.ledger import Ledger
from bubbybot_freqtrade.learning.trades import ClosedTrades
from bubbybot_freqtrade.risk.plan import PLAN, Signal, TradePlan
from bubbybot_freqtrade.search.backtests import PAIRS, backtest_desk, generate_folder
from bubbybot_freqtrade.settings import LearningSettings
from bubbybot_freqtrade.signals.confluence import EARLY, LATE
from bubbybot_freqtrade.signals.context import analyze
from bubbybot_freqtrade.signals.trend import PREFIXES

TRADES = 1_000
NOW = datetime(2025, 6, 1, tzinfo=UTC)
LIVE_CANDLES = 1_000
BOTH = {"scale_risk": True, "veto": True}
LIVELY = {
    "risk": {"max_same_side": 3},
    "confluence": {"window": 24, "structure_room": 40.0, "value_room": 30.0},
}
SPAN = "20250301-20250630"


def fill_database(count: int) -> None:
    """Closed longs with an entry, an exit, a plan, and a tag of the strategy's own codes."""
    random = Random(1)
    for number in range(count):
        closed = NOW - timedelta(hours=6 * number + 1)
        tag = " ".join(f"{prefix}:{random.choice((EARLY, LATE))}" for prefix in PREFIXES.values())
        won = random.random() < 0.3
        rate = 106.0 if won else 98.0
        trade = Trade(
            pair=random.choice(PAIRS),
            stake_amount=20.0,
            max_stake_amount=20.0,
            amount=1.0,
            amount_requested=1.0,
            open_rate=100.0,
            close_rate=rate,
            open_date=closed - timedelta(hours=5),
            close_date=closed,
            close_profit=0.3 if won else -0.1,
            close_profit_abs=rate - 100.0,
            fee_open=0.0006,
            fee_close=0.0006,
            leverage=5.0,
            is_open=False,
            exchange="blofin",
            trading_mode="futures",
            enter_tag=tag,
            initial_stop_loss=98.0,
        )
        for side, price in (("buy", 100.0), ("sell", rate)):
            trade.orders.append(
                Order(
                    ft_order_side=side,
                    ft_pair=trade.pair,
                    order_id=f"{number}{side}",
                    ft_is_open=False,
                    ft_amount=1.0,
                    ft_price=price,
                    status="closed",
                    amount=1.0,
                    filled=1.0,
                    average=price,
                )
            )
        Trade.session.add(trade)
    Trade.commit()
    for trade in Trade.get_trades():
        trade.set_custom_data(PLAN, plan_of_tag(trade.pair, trade.enter_tag or "").to_dict())


def plan_of_tag(pair: str, tag: str) -> TradePlan:
    """The plan that every trade of `fill_database` has."""
    numbers = {"entry": 100.0, "stop": 98.0, "target": 106.0, "leverage": 5, "size": 1.0}
    rest = {"margin": 20.0, "risk": 2.1, "reward_risk": 2.7, "liquidation": 81.0}
    return TradePlan(
        pair, "long", **numbers, **rest, confidence=0.8, equity=100.0, tag=tag, regime="trend calm"
    )


def kept_plan(trade: Trade) -> TradePlan | None:
    """The plan from the database, as the strategy reads it."""
    kept = trade.get_custom_data(PLAN)
    return None if kept is None else TradePlan.from_dict(kept)


def live(folder: Path, data: Path) -> None:
    """Looks and signals on a database, as shares of one pair's analysis."""
    frames = [
        pd.read_feather(data / "futures" / f"BTC_USDT_USDT-{timeframe}-futures.feather")
        for timeframe in ("15m", "1h", "4h")
    ]
    newest = [frame.tail(LIVE_CANDLES) for frame in frames]
    analysis = best(lambda: [analyze(frame.copy()) for frame in newest])
    init_db(f"sqlite:///{folder}/trades.sqlite")
    fill_database(TRADES)
    closed = ClosedTrades(kept_plan, timedelta(0))
    started = time.perf_counter()
    history = closed.history()
    first = time.perf_counter() - started
    ledger = Ledger(LearningSettings(**BOTH))
    tag = "mc:dot lux:ob fc:gp"
    signal = Signal(PAIRS[0], "long", 98.0, 106.0, 0.8, tag, "trend calm")
    times = {
        "first look after a start": first,
        "another look": best(closed.history),
        "a signal's patterns": best(lambda: ledger.weigh(history, signal, NOW)),
    }
    print(f"analysis of one pair's newest candles: {analysis * 1000:.1f} ms")
    for name, seconds in times.items():
        share = seconds / analysis
        print(f"{name} ({TRADES} trades): {seconds * 1000:.2f} ms, {share:.2f} of the analysis")


def backtests(folder: Path, data: Path) -> None:
    """A backtest with and without the ledger, in turn."""
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    with backtest_desk(data, folder / "user_data") as desk:
        for _ in range(RUNS // 2 + 1):
            for name, learning in (("without", {}), ("with", BOTH)):
                run = desk.run(SPAN, LIVELY | {"learning": learning})
                seconds[name].append(run.seconds)
                trades = len(run.trades)
    ratio = min(seconds["with"]) / min(seconds["without"])
    print(f"backtest with the ledger ({trades} trades): {ratio:.3f} times the one without")


def main() -> None:
    """Both, on a generated market."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate_folder(folder / "data", datetime(2025, 1, 1, tzinfo=UTC), days=185)
        live(folder, folder / "data")
        backtests(folder, folder / "data")


if __name__ == "__main__":
    main()
