"""freqtrade's own settings that would undo BubbyBot's rules.

freqtrade lets a config, a parameter file and hyperopt's spaces replace a strategy's attributes.
Most of them are the user's to choose; those here would take the stop, the target, the size or the
day's limit away from the plan, in some modes silently.
"""

from collections.abc import Callable, Mapping
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.strategy import IStrategy

Rule = tuple[str, Callable[[Any], bool], str]

RULES: tuple[Rule, ...] = (
    ("timeframe", lambda value: value == "15m", "the analysis is made for 15m candles"),
    ("minimal_roi", lambda value: not value, "the target comes from the plan, at least 2R"),
    ("stoploss", lambda value: value >= -0.5, "an entry without a plan may lose half its margin"),
    ("use_custom_stoploss", bool, "the stop comes from the plan"),
    ("trailing_stop", lambda value: not value, "the stop follows the settings in bubbybot.exits"),
    ("use_custom_roi", bool, "the target comes from the plan"),
    (
        "ignore_roi_if_entry_signal",
        lambda value: not value,
        "the target would wait for the signal to end",
    ),
    ("use_exit_signal", bool, "critical exits and the day's loss limit close trades through it"),
    (
        "position_adjustment_enable",
        lambda value: not value,
        "a second entry into a trade has neither plan nor limit",
    ),
)
"""Attribute of the strategy, what it may be, and why."""

FORBIDDEN_SPACES = ("roi", "stoploss", "trailing")


def refuse_overrides(strategy: IStrategy, config: Mapping[str, Any]) -> None:
    """Hold a loaded strategy's attributes to the rules.

    :raises ConfigurationError: one line that names the first wrong setting and why it is wrong.
    """
    for name, is_allowed, why in RULES:
        value = getattr(strategy, name)
        if not is_allowed(value):
            raise ConfigurationError(
                f"{name} = {value!r} can't be used with BubbyBot: {why}. Remove it from the config "
                "(and from the strategy's parameter file, where hyperopt wrote one)."
            )
    fewest = type(strategy).startup_candle_count
    if strategy.startup_candle_count < fewest:
        raise ConfigurationError(
            f"startup_candle_count = {strategy.startup_candle_count} is too small: the analysis "
            f"needs {fewest} candles to be the same wherever it begins."
        )
    _refuse_order_types(strategy)
    if config.get("runmode") == RunMode.HYPEROPT:
        _refuse_spaces(config)


def _refuse_order_types(strategy: IStrategy) -> None:
    kind = strategy.order_types.get("stoploss")
    if kind != "market":
        raise ConfigurationError(
            f"order_types.stoploss = {kind!r} can't be used with BubbyBot: a limit may never fill, "
            "stops are market orders."
        )


def _refuse_spaces(config: Mapping[str, Any]) -> None:
    for space in FORBIDDEN_SPACES:
        if HyperoptTools.has_space(dict(config), space):
            raise ConfigurationError(
                f"hyperopt's space '{space}' can't be used with BubbyBot, whose plans decide stop "
                "and target: say --spaces buy sell."
            )
