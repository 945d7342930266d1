"""One backtest of one point of the search, in whichever process the search has sent it to.

A task carries all that a worker needs but candles and packages: those must be where it runs, at the
same path. A worker analyzes a range's candles once and keeps them for the next tasks.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from bubbybot_freqtrade.search.backtests import quiet, with_plans
from bubbybot_freqtrade.search.pair_by_pair import Analyzed, PairByPair

KEPT = 2
"""Ranges whose analyzed candles a worker keeps: a fold's past, and the part that is judged."""

RESULT_COLUMNS = [
    "pair",
    "is_short",
    "open_date",
    "close_date",
    "amount",
    "open_rate",
    "close_rate",
    "fee_open",
    "funding_fees",
    "profit_abs",
    "plan_risk",
    "plan_equity",
]

# freqtrade keeps a backtest's trades on a class: one at a time in a process, whatever threads a
# cluster gives it.
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Task:
    """A backtest: freqtrade's config (checked, without keys), the range, and what is tried.

    :param timerange: as freqtrade writes them, YYYYMMDD-YYYYMMDD
    :param values: of the strategy's hyperoptable parameters, by name; the others stay as they are
    :param pairs: the pairs that are traded; the candles of all are analyzed
    """

    config: Mapping[str, Any]
    timerange: str
    values: Mapping[str, Any]
    pairs: tuple[str, ...]


@dataclass
class _Range:
    backtesting: PairByPair
    analyzed: Analyzed


_ranges: OrderedDict[str, _Range] = OrderedDict()
_exchanges: dict[str, Any] = {}


def run(task: Task) -> pd.DataFrame:
    """The trades of a task, one row each with `RESULT_COLUMNS`.

    :raises OperationalException: when candles or strategy are not where the task runs, or the
        strategy does not plan its trades.
    """
    with _ALONE, quiet():
        try:
            return _run(task)
        finally:
            Backtesting.cleanup()


def _run(task: Task) -> pd.DataFrame:
    made = _range(task)
    # A strategy of its own: nothing of an earlier trial's day or plans may be left in it.
    strategy = StrategyResolver.load_strategy(made.backtesting.config)
    made.backtesting._set_strategy(strategy)
    for name, parameter in strategy.enumerate_parameters():
        if name in task.values:
            parameter.value = task.values[name]
    found = made.backtesting.play(made.analyzed, task.pairs)
    trades = with_plans(found, strategy)
    if trades.empty:
        return pd.DataFrame(columns=RESULT_COLUMNS)
    if "plan_risk" not in trades:
        name = task.config["strategy"]
        raise OperationalException(f"{name} plans no trades: a search needs BubbyBot, or its heir.")
    return trades[RESULT_COLUMNS].reset_index(drop=True)


def _range(task: Task) -> _Range:
    key = hashlib.sha256(f"{fingerprint(task.config)} {task.timerange}".encode()).hexdigest()
    if key not in _ranges:
        _ranges[key] = _load(deepcopy(dict(task.config)) | {"timerange": task.timerange})
        while len(_ranges) > KEPT:
            _ranges.popitem(last=False)
    _ranges.move_to_end(key)
    return _ranges[key]


def _load(config: dict[str, Any]) -> _Range:
    backtesting = PairByPair(config, _exchange(config))
    return _Range(backtesting, backtesting.analyze(backtesting.strategylist[0]))


def _exchange(config: dict[str, Any]) -> Any:
    """The exchange with its markets and tiers, asked for once in a process."""
    key = fingerprint(config["exchange"])
    if key not in _exchanges:
        _exchanges[key] = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
    return _exchanges[key]


def fingerprint(config: Mapping[str, Any]) -> str:
    """The same for the same config, in every process."""
    return json.dumps(config, sort_keys=True, default=str)
