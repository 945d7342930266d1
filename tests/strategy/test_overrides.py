"""freqtrade's own settings that would take a rule away stop the bot at start, in every mode."""

from typing import Any

import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.exchange import Exchange
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.search.backtests import BacktestDesk

SPAN = "20250301-20250303"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeframe", "1h"),
        ("minimal_roi", {"0": 0.05}),
        ("stoploss", -0.99),
        ("use_custom_stoploss", False),
        ("trailing_stop", True),
        ("ignore_roi_if_entry_signal", True),
        ("use_exit_signal", False),
        ("position_adjustment_enable", True),
        ("startup_candle_count", 400),
    ],
)
def test_a_config_that_takes_a_rule_away_is_refused_by_name(
    desk: BacktestDesk, name: str, value: Any
) -> None:
    strategy = StrategyResolver.load_strategy(desk.config(SPAN) | {name: value})
    with pytest.raises(ConfigurationError, match=name):
        strategy.ft_bot_start()


def test_a_limit_stop_is_refused(desk: BacktestDesk) -> None:
    config = desk.config(SPAN)
    order_types = StrategyResolver.load_strategy(config).order_types | {"stoploss": "limit"}
    strategy = StrategyResolver.load_strategy(config | {"order_types": order_types})
    with pytest.raises(ConfigurationError, match=r"order_types\.stoploss"):
        strategy.ft_bot_start()


def test_a_backtest_does_not_begin_with_such_a_config(desk: BacktestDesk) -> None:
    with pytest.raises(ConfigurationError, match="minimal_roi"):
        desk.run(SPAN, minimal_roi={"0": 0.05})


def test_a_parameter_file_with_a_roi_table_is_refused(desk: BacktestDesk) -> None:
    strategy = StrategyResolver.load_strategy(desk.config(SPAN))
    strategy.minimal_roi = {0: 0.05}  # as freqtrade's resolver takes it over from such a file
    with pytest.raises(ConfigurationError, match="parameter file"):
        strategy.ft_bot_start()


@pytest.mark.parametrize("spaces", [["default"], ["all"], ["buy", "roi"], ["trailing"]])
def test_hyperopt_may_not_look_for_stops_and_targets_of_its_own(
    desk: BacktestDesk, spaces: list[str]
) -> None:
    config = desk.config(SPAN, runmode=RunMode.HYPEROPT) | {"spaces": spaces}
    with pytest.raises(ConfigurationError, match="--spaces buy sell"):
        StrategyResolver.load_strategy(config).ft_bot_start()


def test_real_orders_go_only_through_the_class_that_sends_stops_with_them(
    desk: BacktestDesk,
) -> None:
    config = desk.config(SPAN)
    # What freqtrade uses for an exchange that it has no class for: its name alone is right.
    generic = Exchange(config, validate=False, load_leverage_tiers=False)
    strategy = StrategyResolver.load_strategy(config)
    strategy.dp = DataProvider(config, generic)
    config["runmode"] = RunMode.LIVE
    with pytest.raises(ConfigurationError, match=r"exchange\.name"):
        strategy.ft_bot_start()


def test_ordinary_settings_are_the_users(desk: BacktestDesk) -> None:
    free = {"max_open_trades": 2, "ignore_buying_expired_candle_after": 60, "stoploss": -0.4}
    StrategyResolver.load_strategy(desk.config(SPAN) | free).ft_bot_start()
