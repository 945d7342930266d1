"""The config files: freqtrade's own validation, BubbyBot's settings, and what replaces them."""

from collections.abc import Iterator, Sequence

from freqtrade.configuration.config_validation import validate_config_consistency
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import Config, quiet_freqtrade
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.overrides import refuse_overrides


def configuration(config: Config) -> Iterator[Finding]:
    """freqtrade's own validation with the strategy in place, and BubbyBot's settings."""
    try:
        with quiet_freqtrade():
            BubbyBotSettings.from_config(config)
            strategy = StrategyResolver.load_strategy(config)
            if isinstance(strategy, BubbyBotStrategy):
                refuse_overrides(strategy, config)
            validate_config_consistency(config)
    except (FreqtradeException, ImportError) as error:
        # The latter is freqtrade's word for a strategy that does not fit the trading mode.
        yield problem("config", one_line(error), "See docs/configuration.md.")
        return
    orders = (
        "paper trading (dry_run)" if config["dry_run"] else f"real orders on {_account(config)}"
    )
    yield ok("config", f"{type(strategy).__name__}, {orders}, {config['trading_mode']}.")


def _account(config: Config) -> str:
    return "the demo account" if config["exchange"].get("demo_trading") else "the LIVE account"


def environment(files: Sequence[str]) -> Iterator[Finding]:
    """Settings of the config files that a FREQTRADE__… variable replaces, by name alone."""
    if "-" in files:
        # Standard input can be read once.
        return
    with quiet_freqtrade():
        replaced = sorted(_replaced(load_from_files(list(files)), environment_vars_to_dict()))
    if replaced:
        yield note(
            "environment",
            f"Set by FREQTRADE__… variables and otherwise in a config file: {', '.join(replaced)}.",
            "They win over the config files; where they should not, put a # before them in .env.",
        )


def _replaced(settings: Config, given: Config, path: str = "") -> Iterator[str]:
    for name, value in given.items():
        ours = settings.get(name)
        if isinstance(value, dict) and isinstance(ours, dict):
            yield from _replaced(ours, value, f"{path}{name}.")
        elif ours not in (None, "") and ours != value:
            yield f"{path}{name}"
