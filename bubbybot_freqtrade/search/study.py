"""A walk-forward study: settings chosen on the past of each part, judged on the part alone.

Optuna asks for a batch of points, workers backtest them on the part's past, Optuna is told. What is
asked depends on what was told before and on a seed of its own for every trial, not on who is quick:
one process, a cluster, or a run that was killed and goes on give the same answer.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import optuna
import pandas as pd
from freqtrade.resolvers import StrategyResolver
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from bubbybot_freqtrade.search.backtests import quiet
from bubbybot_freqtrade.search.performance import MIN_TRADES, daily, merit, ratio, returns_of
from bubbybot_freqtrade.search.trial import Task, fingerprint

Objective = Literal["t-value", "sharpe"]
Runner = Callable[[Sequence[Task]], list[pd.DataFrame]]
"""Backtests tasks, and answers in their order."""

STARTUP_TRIALS = 10
"""Trials of a part that are drawn at random, before the past ones guide the choice."""

PAIR = "trade "
"""Prefix of the parameter that says whether a pair is traded."""


# What a study must have in common with the one on disk to go on with it.
STUDY_OPTIONS = (
    "start",
    "end",
    "parts",
    "past_days",
    "batch",
    "spaces",
    "objective",
    "over_pairs",
    "seed",
)
CONFIG_OPTIONS = (
    "strategy",
    "bubbybot",
    "freqai",
    "timeframe",
    "fee",
    "order_types",
    "max_open_trades",
    "stake_amount",
    "dry_run_wallet",
    "available_capital",
    "tradable_balance_ratio",
)


class StudyError(ValueError):
    """A study that cannot begin or go on; the message says what to change."""


@dataclass(frozen=True)
class Plan:
    """What is searched.

    :param config: freqtrade's checked config, run mode hyperopt, without keys
    :param start, end: UTC midnights; past_days: length of the first part's past, which begins at
        `start` for every part and grows; parts: how many the rest is cut into
    :param trials: backtests of each part's past; batch: how many of them are asked for at once
    :param over_pairs: whether which pairs are traded is searched too
    """

    config: Mapping[str, Any]
    start: datetime
    end: datetime
    parts: int = 3
    past_days: int = 180
    trials: int = 40
    batch: int = 4
    spaces: tuple[str, ...] = ("buy", "sell")
    objective: Objective = "t-value"
    over_pairs: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if self.end - self.start < timedelta(days=self.past_days + self.parts):
            raise StudyError(
                f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d} does not hold {self.past_days} days "
                f"of past and {self.parts} parts; widen --timerange or lower --past-days"
            )

    @property
    def pairs(self) -> tuple[str, ...]:
        """All pairs of the config."""
        return tuple(self.config["exchange"]["pair_whitelist"])

    def borders(self) -> list[datetime]:
        """Where the judged parts begin, and where the last ends; whole days."""
        first = self.start + timedelta(days=self.past_days)
        days = (self.end - first).days
        return [first + timedelta(days=days * n // self.parts) for n in range(self.parts + 1)]

    def options(self) -> str:
        """What makes a study another one, as text."""
        told = {name: getattr(self, name) for name in STUDY_OPTIONS}
        return fingerprint(told | {"config": _comparable(self.config)})


def _comparable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that a backtest's result depends on."""
    exchange = {"name": config["exchange"]["name"], "pairs": config["exchange"]["pair_whitelist"]}
    return {name: config.get(name) for name in CONFIG_OPTIONS} | {"exchange": exchange}


@dataclass(frozen=True)
class Space:
    """The strategy's hyperoptable parameters: how each is drawn, and where it stands now."""

    distributions: dict[str, BaseDistribution]
    defaults: dict[str, Any]


def space_of(plan: Plan) -> Space:
    """The parameters of the plan's spaces, as `freqtrade hyperopt --spaces` takes them.

    :raises StudyError: when the strategy has none there.
    """
    with quiet():
        strategy = StrategyResolver.load_strategy(dict(plan.config))
        strategy.ft_load_hyper_params(hyperopt=True)
    drawn: dict[str, BaseDistribution] = {}
    defaults: dict[str, Any] = {}
    for name, parameter in strategy.enumerate_parameters():
        if parameter.optimize and parameter.space in plan.spaces:
            drawn[name] = _plain(parameter.get_space(name))
            defaults[name] = parameter.value
    if not drawn:
        raise StudyError(
            f"{plan.config['strategy']} has no parameters in {', '.join(plan.spaces)}; choose "
            "others with --spaces"
        )
    if plan.over_pairs:
        drawn |= {PAIR + pair: CategoricalDistribution([True, False]) for pair in plan.pairs}
        defaults |= {PAIR + pair: True for pair in plan.pairs}
    return Space(drawn, defaults)


def _plain(distribution: Any) -> BaseDistribution:
    """Optuna's own kind of it: a study on disk knows a distribution by its class's name."""
    if isinstance(distribution, CategoricalDistribution):
        return CategoricalDistribution(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return IntDistribution(distribution.low, distribution.high, step=distribution.step)
    if isinstance(distribution, FloatDistribution):
        return FloatDistribution(distribution.low, distribution.high, step=distribution.step)
    raise StudyError(f"{distribution!r} is no kind of parameter that a search can draw")


def task_of(plan: Plan, start: datetime, end: datetime, params: Mapping[str, Any]) -> Task:
    """The backtest of a point between two days."""
    # A step of 0.01 ends in float noise, which freqtrade's own optimizer rounds off too.
    values = {
        name: round(value, 9) if isinstance(value, float) else value
        for name, value in params.items()
        if not name.startswith(PAIR)
    }
    pairs = tuple(pair for pair in plan.pairs if params.get(PAIR + pair, True))
    return Task(plan.config, f"{start:%Y%m%d}-{end:%Y%m%d}", values, pairs)


def value_of(trades: pd.DataFrame, plan: Plan, start: datetime, end: datetime) -> float:
    """What the past is judged by; minus infinity with too few trades to say."""
    if len(trades) < MIN_TRADES:
        return -math.inf
    if plan.objective == "t-value":
        value = merit(trades)
    else:
        days = _days(trades, start, end)
        value = ratio(days.mean(), days.std())
    return value if math.isfinite(value) else -math.inf


def _days(trades: pd.DataFrame, start: datetime, end: datetime) -> pd.Series:
    if trades.empty:
        return pd.Series(0.0, index=pd.date_range(start, end, freq="D", tz=UTC))
    return daily(returns_of(trades), trades["close_date"], f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}")


@dataclass(frozen=True)
class Part:
    """A part of the range: what its past chose, and what that and the defaults made of it.

    :param value: of the chosen on the past, None when no trial had enough trades
    :param sharpes: daily Sharpe ratio of each trial on the past
    """

    start: datetime
    end: datetime
    chosen: dict[str, Any]
    value: float | None
    trials: int
    sharpes: list[float]
    trades: pd.DataFrame
    default_trades: pd.DataFrame


@dataclass
class Search:
    """A plan, where it is kept, and who does the backtests."""

    plan: Plan
    storage: Path
    run: Runner
    on_trials: Callable[[int, float | None], None] = lambda _done, _best: None
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        self.space = space_of(self.plan)

    def parts(self) -> Iterator[Part]:
        """Study every part's past, then judge; what is on disk already is not done again."""
        borders = self.plan.borders()
        for number, (start, end) in enumerate(pairwise(borders)):
            study = self._study(number)
            self._fill(study, start)
            yield self._judge(study, start, end)

    def _study(self, number: int) -> optuna.Study:
        self.storage.parent.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            storage=f"sqlite:///{self.storage}",
            study_name=f"part {number + 1}",
            direction="maximize",
            load_if_exists=True,
        )
        options = self.plan.options()
        if study.user_attrs.setdefault("options", options) != options:
            raise StudyError(
                f"{self.storage} is a study with other options; give this one another --study, or "
                "the options it was begun with"
            )
        study.set_user_attr("options", options)
        return study

    def _fill(self, study: optuna.Study, end: datetime) -> None:
        """Ask, backtest and tell until the part has its trials."""
        self._drop_half_asked(study)
        while len(_told(study)) < self.plan.trials:
            asked = self._ask(study)
            found = self.run(
                [task_of(self.plan, self.plan.start, end, trial.params) for trial in asked]
            )
            for trial, trades in zip(asked, found, strict=True):
                self._tell(study, trial, trades, end)
            self.on_trials(len(asked), _best_value(study))

    def _drop_half_asked(self, study: optuna.Study) -> None:
        """A trial that a kill left without all its parameters is asked for again."""
        for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            if set(trial.params) != set(self.space.distributions):
                study.tell(trial.number, state=TrialState.FAIL)

    def _ask(self, study: optuna.Study) -> list[FrozenTrial]:
        """The open trials of this batch, those that a kill has left among them."""
        told = len(_told(study))
        size = min(self.plan.batch - told % self.plan.batch, self.plan.trials - told)
        asked = _asked(study)
        while len(asked) < size:
            place = told + len(asked)
            study.sampler = TPESampler(
                seed=self.plan.seed * 1_000_003 + place, n_startup_trials=STARTUP_TRIALS
            )
            if place == 0:
                study.enqueue_trial(self.space.defaults, skip_if_exists=True)
            study.ask(self.space.distributions)
            asked = _asked(study)
        return asked

    def _tell(
        self, study: optuna.Study, trial: FrozenTrial, trades: pd.DataFrame, end: datetime
    ) -> None:
        days = _days(trades, self.plan.start, end)
        sharpe = float(days.mean() / days.std()) if days.std() > 0 else 0.0
        value = value_of(trades, self.plan, self.plan.start, end)
        kept = {"trades": len(trades), "sharpe": sharpe}
        Trial(study, trial._trial_id).set_user_attr("result", json.dumps(kept))
        if math.isfinite(value):
            study.tell(trial.number, value)
        else:
            study.tell(trial.number, state=TrialState.PRUNED)

    def _judge(self, study: optuna.Study, start: datetime, end: datetime) -> Part:
        best = _best(study)
        chosen = self.space.defaults if best is None else best.params
        tasks = [task_of(self.plan, start, end, p) for p in (chosen, self.space.defaults)]
        trades, default_trades = self.run(tasks)
        told = _told(study)
        results = [json.loads(trial.user_attrs["result"]) for trial in told]
        return Part(
            start=start,
            end=end,
            chosen=dict(task_of(self.plan, start, end, chosen).values)
            | {name: on for name, on in chosen.items() if name.startswith(PAIR)},
            value=None if best is None else best.value,
            trials=len(told),
            sharpes=[result["sharpe"] for result in results],
            trades=trades,
            default_trades=default_trades,
        )


def _told(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])


def _asked(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[TrialState.RUNNING])


def _best(study: optuna.Study) -> FrozenTrial | None:
    """The highest value; of several, the first that had it."""
    done = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return max(done, key=lambda trial: (trial.value, -trial.number), default=None)


def _best_value(study: optuna.Study) -> float | None:
    best = _best(study)
    return None if best is None else best.value
