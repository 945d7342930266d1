"""The strategy with what it learns beside without, for benchmarks/results.py.

A row of `LEARNING` is a name and the changes to `BacktestDesk.run`: `bubbybot` is merged into each
variant's block, everything else (`strategy`, freqtrade's own keys) replaces a key of the config.
The settings of each row are the defaults of what it switches on; none was chosen by these results.

The rows with the model are there when its packages are (`pip install '.[ai]'`); for each variant
some fifty models are trained, which takes a few minutes.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.search.performance import Figures, figures

Block = Mapping[str, Mapping[str, Any]]

LEARNING: dict[str, dict[str, Any]] = {
    "ledger scales the risk": {"bubbybot": {"learning": {"scale_risk": True}}},
    "ledger vetoes": {"bubbybot": {"learning": {"veto": True}}},
    "ledger does both": {"bubbybot": {"learning": {"scale_risk": True, "veto": True}}},
    # The readiest with vetoes that the settings allow: the default hardly ever has evidence enough.
    "ledger does both, 50 % interval": {
        "bubbybot": {"learning": {"scale_risk": True, "veto": True, "interval": 0.5}}
    },
}

LEDGER = {"learning": {"scale_risk": True, "veto": True}}
# Days between two trainings; config.ai.json's 14 would double the wait.
RETRAINED = 28


def rows() -> dict[str, dict[str, Any]]:
    """All rows: `LEARNING`, and those with the model where its packages are."""
    if find_spec("lightgbm") is None:
        return LEARNING
    shipped = json.loads(Path("config.ai.json").read_text())
    model = {name: shipped[name] for name in ("strategy", "freqai", "freqaimodel")}
    model["freqai"] |= {"backtest_period_days": RETRAINED}
    return LEARNING | {
        "model filters": model,
        "model and ledger": model | {"bubbybot": LEDGER},
    }


def own_models(changes: Mapping[str, Any], settings: Block) -> dict[str, Any]:
    """Keys of the config beside `bubbybot`; FreqAI takes models by name, and plans differ."""
    own = {key: value for key, value in changes.items() if key != "bubbybot"}
    if "freqai" in own:
        name = hashlib.sha256(str(settings).encode()).hexdigest()[:12]
        own["freqai"] = own["freqai"] | {"identifier": name}
    return own


class Part(Protocol):
    """A part of the walk-forward: its days, and the variant that its past chose."""

    @property
    def start(self) -> str:
        """First day."""

    @property
    def end(self) -> str:
        """Last day."""

    @property
    def chosen(self) -> Any:
        """The variant, with its `settings`."""


@dataclass(frozen=True)
class Learned:
    """Trades of the walk-forward's parts, and of the defaults over the whole range."""

    name: str
    forward: pd.DataFrame
    default: pd.DataFrame


def run_learning(desk: BacktestDesk, span: str, parts: Sequence[Part]) -> Iterator[Learned]:
    """Each row on the same parts, each part with the variant that was chosen for it without."""
    for name, changes in rows().items():
        done: dict[str, pd.DataFrame] = {}
        for settings in [{}, *(part.chosen.settings for part in parts)]:
            if str(settings) not in done:
                own = own_models(changes, settings)
                block = merged(settings, changes.get("bubbybot", {}))
                done[str(settings)] = desk.run(span, block, **own).trades
                print(f"{name}: {settings or 'defaults'}", file=sys.stderr, flush=True)
        pieces = [
            opened_between(done[str(part.chosen.settings)], part.start, part.end) for part in parts
        ]
        yield Learned(name, pd.concat(pieces), done[str({})])


def merged(settings: Block, more: Block) -> dict[str, dict[str, Any]]:
    """Two `bubbybot` blocks as one; in a part that both have, `more` wins."""
    names = dict.fromkeys([*settings, *more])
    return {name: {**settings.get(name, {}), **more.get(name, {})} for name in names}


def opened_between(trades: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """The trades that were opened from one day to before another."""
    days = [pd.Timestamp(day, tz=UTC) for day in (start, end)]
    return trades[trades["open_date"].between(*days, inclusive="left")]


def learning_section(
    without: Learned, learned: Sequence[Learned], start: str, untouched: str, end: str
) -> list[str]:
    """The lines of the page, and which rows helped on both ranges.

    :param start: first day of the walk-forward
    :param untouched: first day of what the defaults were not fixed on
    """
    rows = [without, *learned]
    forward = {row.name: figures(row.forward, start, end) for row in rows}
    later = {
        row.name: figures(opened_between(row.default, untouched, end), untouched, end)
        for row in rows
    }
    return [
        "## Learning",
        "",
        "The walk-forward's parts with the variants chosen above, with what the strategy can learn "
        "beside without (docs/learning.md). Each backtest learns from its own closed trades alone, "
        "from the range's first day on; a model (docs/model.md) is trained on the 120 days before "
        f"each {RETRAINED} days, and before there are enough of them nothing is entered. "
        "The settings of these rows were not chosen by them, with two exceptions: the 50 % "
        "interval was added when the default's vetoes did nothing, and the model's trees were "
        "made smaller once, when its first calibration was worse than the base rate.",
        "",
        Figures.HEAD,
        *(figures_.row(name) for name, figures_ in forward.items()),
        "",
        f"The defaults from {untouched} on:",
        "",
        Figures.HEAD,
        *(figures_.row(name) for name, figures_ in later.items()),
        "",
        _verdict(without.name, forward, later),
        "",
    ]


def _verdict(without: str, *ranges: Mapping[str, Figures]) -> str:
    helped = [
        name
        for name in ranges[0]
        if name != without and all(is_better(found[name], found[without]) for found in ranges)
    ]
    told = ", ".join(helped) or "none"
    return (
        "Higher profit factor and Sharpe ratio and no deeper drawdown than without, on both: "
        f"**{told}**. What is not among them ships switched off."
    )


def is_better(one: Figures, other: Figures) -> bool:
    """Whether a row earns more for its risk, by all of the three aims."""
    return (
        one.profit_factor > other.profit_factor
        and one.sharpe > other.sharpe
        and one.drawdown <= other.drawdown
    )
