"""What a search found, as a page of Markdown: on candles that chose nothing."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bubbybot_freqtrade.search.performance import Figures, daily, deflated_sharpe, figures, r_of
from bubbybot_freqtrade.search.performance import returns_of as returns
from bubbybot_freqtrade.search.study import PAIR, Part, Plan
from bubbybot_freqtrade.strategy.parameters import PARAMETERS


def report(plan: Plan, parts: Sequence[Part], tried_before: int = 0) -> str:
    """The whole page.

    :param tried_before: variants that were tried on these candles before this search; they count
        as attempts of the deflated Sharpe ratio
    """
    first, last = f"{parts[0].start:%Y-%m-%d}", f"{parts[-1].end:%Y-%m-%d}"
    chosen = _joined([part.trades for part in parts])
    default = _joined([part.default_trades for part in parts])
    tried = tried_before + sum(part.trials for part in parts)
    lines = [
        "# Search",
        "",
        f"{plan.config['strategy']}, {', '.join(plan.pairs)}, {plan.start:%Y-%m-%d} to "
        f"{plan.end:%Y-%m-%d}; {plan.parts} parts, {plan.trials} trials each on the part's past, "
        f"by {plan.objective}, seed {plan.seed}. Spaces: {', '.join(plan.spaces)}"
        f"{', and which pairs are traded' if plan.over_pairs else ''}.",
        "",
        "Each part was traded with the settings that were best in the past before it:",
        "",
        "| part | on its past | trades | mean R | chosen |",
        "|---|---:|---:|---:|---|",
        *map(_part_row, parts),
        "",
        Figures.HEAD,
        _figures(chosen, first, last, "chosen on the past"),
        _figures(default, first, last, "defaults"),
        "",
        _luck(chosen, parts, first, last, tried, tried_before),
        "",
        "The settings that the last part's past chose, for the config's `bubbybot` block:",
        "",
        "```json",
        json.dumps(block_of(parts[-1].chosen), indent=4),
        "```",
        "",
    ]
    return "\n".join(lines)


def block_of(chosen: dict[str, Any]) -> dict[str, Any]:
    """Chosen parameters as the config spells them; parameters of other strategies are left out."""
    block: dict[str, dict[str, Any]] = {}
    for name, value in chosen.items():
        if name in PARAMETERS:
            section = PARAMETERS[name]
            # 0 switches an exit off, which the config spells null.
            block.setdefault(section, {})[name] = (value or None) if section == "exits" else value
    return {"bubbybot": block}


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _figures(trades: pd.DataFrame, start: str, end: str, name: str) -> str:
    if trades.empty:
        return f"| {name} | 0 |" + " |" * 9
    return figures(trades, start, end).row(name)


def _part_row(part: Part) -> str:
    rs = r_of(part.trades) if len(part.trades) else None
    mean = "" if rs is None else f"{rs.mean():+.2f}"
    value = "too few trades" if part.value is None else f"{part.value:.2f}"
    values = ", ".join(_said(name, value) for name, value in part.chosen.items())
    return (
        f"| {part.start:%Y-%m-%d} to {part.end:%Y-%m-%d} | {value} | {len(part.trades)} | {mean} "
        f"| {values} |"
    )


def _said(name: str, value: Any) -> str:
    if name.startswith(PAIR):
        return f"{'' if value else 'no '}{name.removeprefix(PAIR)}"
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def _luck(
    trades: pd.DataFrame, parts: Sequence[Part], start: str, end: str, tried: int, before: int
) -> str:
    counted = f"{tried} trials" + (f", {before} of them before this search" if before else "")
    sharpes = [sharpe for part in parts for sharpe in part.sharpes]
    if trades.empty or len(sharpes) < 2:
        return f"{counted}: no deflated Sharpe ratio, for there are too few trades or trials."
    days = daily(returns(trades), trades["close_date"], start, end)
    deflated = deflated_sharpe(days, sharpes, tried)
    if not math.isfinite(deflated):
        return f"{counted}: no deflated Sharpe ratio, for the returns do not vary."
    return (
        f"Deflated Sharpe ratio (probability that the true one is above zero, after {counted}): "
        f"**{deflated:.2f}**."
    )
