"""Hyperoptable parameters: freqtrade's way of setting what the settings hold too."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from bubbybot_freqtrade.settings import BubbyBotSettings, ConfluenceSettings, RiskSettings

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

# Parameter -> the block of the settings that has it too.
PARAMETERS = {
    "min_confidence": "confluence",
    "ribbon_room": "confluence",
    "structure_room": "confluence",
    "value_room": "confluence",
    "stop_atrs": "risk",
    "reward_risk": "risk",
    "break_even_at": "exits",
    "trail_from": "exits",
}


def give_own_parameters(bot: BubbyBotStrategy) -> None:
    """Each strategy gets parameters of its own: freqtrade's are the class's.

    One process can hold several strategies (backtests, hyperopt, comparisons).
    """
    for name in PARAMETERS:
        setattr(bot, name, copy(getattr(type(bot), name)))


def apply_explicit(bot: BubbyBotStrategy) -> None:
    """What the config says itself wins over parameter files and defaults."""
    for name, section in PARAMETERS.items():
        block = getattr(bot.settings, section)
        if name in block.model_fields_set:
            getattr(bot, name).value = getattr(block, name) or 0.0


def refuse_loose(bot: BubbyBotStrategy) -> None:
    """Hold the parameters to the rules like the config.

    :raises ConfigurationError: one line that names the first value outside its rule.
    """
    block = bot.settings.model_dump()
    for name, section in PARAMETERS.items():
        value = getattr(bot, name).value
        # 0 switches an exit off, which the config spells null.
        block[section][name] = (value or None) if section == "exits" else value
    BubbyBotSettings.from_config({"bubbybot": block})


def confluence_of(bot: BubbyBotStrategy) -> ConfluenceSettings:
    """The settings with the parameters that scores depend on."""
    rooms = ("ribbon_room", "structure_room", "value_room")
    return bot.settings.confluence.model_copy(
        update={name: getattr(bot, name).value for name in rooms}
    )


def risk_of(bot: BubbyBotStrategy) -> RiskSettings:
    """The settings with the parameters that levels and plans depend on."""
    return bot.settings.risk.model_copy(
        update={"stop_atrs": bot.stop_atrs.value, "reward_risk": bot.reward_risk.value}
    )
