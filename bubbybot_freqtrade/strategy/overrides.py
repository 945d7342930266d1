"""freqtrade's own settings that would undo BubbyBot's rules.

freqtrade lets a config, a parameter file and hyperopt's spaces replace a strategy's attributes.
Most of them are the user's to choose; those here would take the stop, the target, the size or the
day's limit away from the plan, in some modes silently.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.strategy import IStrategy

from bubbybot_freqtrade.risk.equity import looks_for_bias


@dataclass(frozen=True)
class Kept:
    """A setting that must stay as the strategy has it, and why.

    :param keeps: compares a value with the strategy's own; `ge` where more is stricter
    """

    setting: str
    why: str
    keeps: Callable[[Any, Any], bool] = eq

    def allowed(self, strategy: type[IStrategy]) -> str:
        """The strategy's own value, as a config spells it."""
        own = json.dumps(self.of(strategy))
        return f"at least {own}" if self.keeps is ge else own

    def of(self, strategy: IStrategy | type[IStrategy]) -> Any:
        """Its value on a strategy or on a strategy's class."""
        block, _, key = self.setting.partition(".")
        value = getattr(strategy, block)
        return value.get(key) if key else value


KEPT = (
    Kept("timeframe", "the analysis is made for it"),
    Kept("startup_candle_count", "with fewer the analysis depends on where candles begin", ge),
    Kept("minimal_roi", "the target comes from the plan, at least 2R away"),
    Kept("use_custom_roi", "the target comes from the plan"),
    Kept("ignore_roi_if_entry_signal", "the target would wait for the end of a signal"),
    Kept("stoploss", "an entry that has lost its plan may lose half its margin", ge),
    Kept("use_custom_stoploss", "the stop comes from the plan"),
    Kept("trailing_stop", "how the stop moves stands in bubbybot.exits"),
    Kept("order_types.stoploss", "a limit order may never fill"),
    Kept("use_exit_signal", "the day's limit and critical exits close trades through it"),
    Kept("position_adjustment_enable", "a second entry has neither plan nor limit"),
)

FORBIDDEN_SPACES = ("roi", "stoploss", "trailing")


def refuse_overrides(strategy: IStrategy, config: Mapping[str, Any]) -> None:
    """Hold a loaded strategy's attributes to the rules.

    :raises ConfigurationError: one line that names the first wrong setting and why it is wrong.
    """
    for kept in KEPT:
        if kept.setting == "startup_candle_count" and looks_for_bias(config):
            # recursive-analysis asks what fewer would do; nothing is traded on the answer.
            continue
        value = kept.of(strategy)
        if not kept.keeps(value, kept.of(type(strategy))):
            raise ConfigurationError(
                f"{kept.setting} = {value!r} can't be used with BubbyBot, it must stay "
                f"{kept.allowed(type(strategy))}: {kept.why}. Remove it from the config (and from "
                "the strategy's parameter file, where hyperopt wrote one)."
            )
    if config.get("runmode") == RunMode.HYPEROPT:
        _refuse_spaces(config)


def _refuse_spaces(config: Mapping[str, Any]) -> None:
    for space in FORBIDDEN_SPACES:
        if HyperoptTools.has_space(dict(config), space):
            raise ConfigurationError(
                f"hyperopt's space '{space}' can't be used with BubbyBot, whose plans decide stop "
                "and target: say --spaces buy sell."
            )
