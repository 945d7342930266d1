"""Reads what a backtest exported, and says of every trade whether it kept the owner's rules.

Nothing of the strategy is asked: the plan comes from the exported signal candles, prices from the
data folder, and the arithmetic is written out here.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from bubbybot_freqtrade.search.backtests import STAKE, Backtest, BacktestDesk
from tests.lively import SHORT_WINDOW

SPAN = "20250301-20250430"
CANDLE = pd.Timedelta(minutes=15)


@dataclass(frozen=True)
class Exported:
    """A trade as exported, the candle that signalled it, and the account when it was entered."""

    trade: dict[str, Any]
    signal: pd.Series
    equity: float
    path: pd.DataFrame

    @property
    def sign(self) -> int:
        return -1 if self.trade["is_short"] else 1

    @property
    def side(self) -> str:
        return "short" if self.trade["is_short"] else "long"

    @property
    def stop(self) -> float:
        return float(self.signal[f"plan_{self.side}_stop"])

    @property
    def target(self) -> float:
        return float(self.signal[f"plan_{self.side}_target"])

    @property
    def loss_at_stop(self) -> float:
        entry, fee = self.trade["open_rate"], self.trade["fee_open"]
        return self.trade["amount"] * (abs(entry - self.stop) + fee * (entry + self.stop))

    @property
    def gain_at_target(self) -> float:
        entry, fee = self.trade["open_rate"], self.trade["fee_open"]
        return self.trade["amount"] * (abs(self.target - entry) - fee * (entry + self.target))

    def __str__(self) -> str:
        return f"{self.trade['pair']} {self.side} of {self.trade['open_date']}"


def read(export: Path, data: Path) -> list[Exported]:
    with zipfile.ZipFile(export) as archive:
        names = archive.namelist()
        (result,) = [n for n in names if n.endswith(".json") and not n.endswith("_config.json")]
        (signals,) = [n for n in names if n.endswith("_signals.pkl")]
        trades = json.loads(archive.read(result))["strategy"]["BubbyBot"]["trades"]
        rows = joblib.load(io.BytesIO(archive.read(signals)))["BubbyBot"]
    return list(_join(trades, rows, data))


def _join(trades: list[dict], rows: dict[str, pd.DataFrame], data: Path) -> Iterator[Exported]:
    pairs = {trade["pair"] for trade in trades}
    candles = {pair: _candles(data, pair) for pair in pairs}
    funding = {pair: _funding(data, pair) for pair in pairs}
    for trade in trades:
        opened, closed = pd.Timestamp(trade["open_date"]), pd.Timestamp(trade["close_date"])
        frame = candles[trade["pair"]]
        path = frame[(frame["date"] >= opened) & (frame["date"] < closed)]
        signals = rows[trade["pair"]]
        (signal,) = [row for _, row in signals.iterrows() if row["date"] == opened - CANDLE]
        yield Exported(trade, signal, _equity(trades, candles, funding, opened), path)


def _candles(data: Path, pair: str) -> pd.DataFrame:
    name = pair.replace("/", "_").replace(":", "_")
    return pd.read_feather(data / "futures" / f"{name}-15m-futures.feather")


def _funding(data: Path, pair: str) -> pd.Series:
    """What one base unit held long pays at each funding."""
    name = pair.replace("/", "_").replace(":", "_")
    rate, mark = (
        pd.read_feather(data / "futures" / f"{name}-1h-{kind}.feather").set_index("date")["open"]
        for kind in ("funding_rate", "mark")
    )
    return (rate * mark).dropna()


def _equity(
    trades: list[dict],
    candles: dict[str, pd.DataFrame],
    funding: dict[str, pd.Series],
    moment: pd.Timestamp,
) -> float:
    """Wallet, less what open trades stand below water at the last close before `moment`.

    A trade that ends on the candle of the entry may have ended before it or after it: what is
    better for the account counts.
    """
    realised, floating = 0.0, 0.0
    for trade in trades:
        opened, closed = pd.Timestamp(trade["open_date"]), pd.Timestamp(trade["close_date"])
        if closed < moment:
            realised += trade["profit_abs"]
        elif opened < moment:
            open_profit = _open_profit(trade, candles[trade["pair"]], moment)
            paid = funding[trade["pair"]].loc[opened:moment].sum() * trade["amount"]
            open_profit -= -paid if trade["is_short"] else paid
            if closed == moment and trade["profit_abs"] > min(0.0, open_profit):
                realised += trade["profit_abs"]
            else:
                floating += open_profit
    return STAKE + realised + min(0.0, floating)


def _open_profit(trade: dict, frame: pd.DataFrame, moment: pd.Timestamp) -> float:
    mark = frame.loc[frame["date"] == moment - CANDLE, "close"].iloc[0]
    entry, sign = trade["open_rate"], -1 if trade["is_short"] else 1
    return trade["amount"] * (sign * (mark - entry) - trade["fee_open"] * (entry + mark))


def assert_rules(made: Exported, desk: BacktestDesk) -> None:
    trade, entry = made.trade, made.trade["open_rate"]
    sign = made.sign
    tick = 1e-4 * entry
    assert sign * made.stop < sign * entry < sign * made.target, made
    assert made.signal[f"{made.side}_confluence"] >= 0.70, made
    # A stop from the first candle on: no candle before the exit's has gone through it.
    worst = made.path["low"] if sign > 0 else made.path["high"]
    assert (sign * worst > sign * made.stop - tick).all(), made
    assert sign * trade["stop_loss_abs"] >= sign * made.stop - tick, made
    assert trade["leverage"] <= 50, made
    assert trade["leverage"] == int(trade["leverage"]), made
    # The plan marks open trades at the next open, this test at the last close.
    assert trade["stake_amount"] <= 0.05 * made.equity * (1 + 1e-3), made
    assert 0.02 * (1 - 0.03) <= made.loss_at_stop / made.equity <= 0.05, made
    assert made.gain_at_target >= 2 * made.loss_at_stop * (1 - 1e-3), made
    # At the stop the margin still covers the venue's maintenance: liquidation lies beyond it.
    notional = trade["amount"] * entry
    rate, _ = desk.exchange.get_maintenance_ratio_and_amt(trade["pair"], notional)
    left = trade["stake_amount"] - made.loss_at_stop
    assert left > rate * trade["amount"] * made.stop, made


def assert_days(trades: list[Exported]) -> None:
    """No entry after the day's realised loss has reached 10 % of what the day began with."""
    for made in trades:
        opened = pd.Timestamp(made.trade["open_date"])
        today = [
            other.trade["profit_abs"]
            for other in trades
            if pd.Timestamp(other.trade["close_date"]) <= opened
            and pd.Timestamp(other.trade["close_date"]) >= opened.floor("D")
        ]
        began_with = made.equity - sum(today)
        assert sum(today) > -0.10 * began_with, made


def test_every_exported_trade_keeps_every_rule(desk: BacktestDesk, lively: Backtest) -> None:
    assert lively.export is not None
    trades = read(lively.export, desk.data)
    assert len(trades) >= 20, "too few trades to say anything"
    assert {made.side for made in trades} == {"long", "short"}
    for made in trades:
        assert_rules(made, desk)
    assert_days(trades)


def test_one_trade_a_side_is_open_at_a_time(desk: BacktestDesk, lively: Backtest) -> None:
    """The account's rules hold in backtests: the same signals, one side at a time."""
    careful = desk.run(SPAN, {"confluence": SHORT_WINDOW}).trades
    assert 5 <= len(careful) < len(lively.trades)
    for _, side in careful.sort_values("open_date").groupby("is_short"):
        assert (side["open_date"].iloc[1:].array >= side["close_date"].iloc[:-1].array).all()


def test_eighteen_recorded_months_keep_every_rule(recorded: BacktestDesk) -> None:
    backtest = recorded.run("20240201-20250630", export="signals")
    assert backtest.export is not None
    trades = read(backtest.export, recorded.data)
    assert len(trades) >= 50
    for made in trades:
        assert_rules(made, recorded)
    assert_days(trades)
