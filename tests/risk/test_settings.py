"""The ``bubbybot`` config block: stricter than the rules is fine, looser is one clear line."""

import pytest
from freqtrade.exceptions import ConfigurationError

from bubbybot_freqtrade.settings import BubbyBotSettings


def read(**block):
    return BubbyBotSettings.from_config({"bubbybot": block})


def test_no_block_means_the_owners_rules():
    rules = BubbyBotSettings.from_config({})
    assert (rules.risk.min_risk, rules.risk.max_risk) == (0.02, 0.05)
    assert rules.risk.max_margin == 0.05
    assert rules.risk.max_leverage == 50
    assert rules.risk.daily_loss == 0.10
    assert rules.confluence.min_confidence == 0.70


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ({"risk": {"max_margin": 0.06}}, "bubbybot.risk.max_margin = 0.06"),
        ({"risk": {"min_risk": 0.002}}, "bubbybot.risk.min_risk = 0.002"),
        ({"risk": {"reward_risk": 1.9}}, "bubbybot.risk.reward_risk"),
        ({"risk": {"min_reward_risk": 4}}, "reward_risk 3.0 is below min_reward_risk 4"),
        ({"risk": {"max_risk": 0.051}}, "bubbybot.risk.max_risk"),
        ({"risk": {"max_leverage": 151}}, "bubbybot.risk.max_leverage"),
        ({"risk": {"min_reward_risk": 1.9}}, "bubbybot.risk.min_reward_risk"),
        ({"risk": {"daily_loss": 0.2}}, "bubbybot.risk.daily_loss"),
        ({"confluence": {"min_confidence": 0.6}}, "bubbybot.confluence.min_confidence"),
        ({"confluence": {"window": 1}}, "bubbybot.confluence.window"),
        ({"confluence": {"value_room": 100}}, "bubbybot.confluence.value_room"),
        ({"messages": {"price_moves": {"BTC/USDT:USDT": -0.02}}}, "bubbybot.messages.price_moves"),
        ({"confluence": {"lux_algo": 0.5}}, "must add up to 1"),
        ({"risk": {"min_stop": 0.05, "max_stop": 0.01}}, "min_stop"),
        ({"lever": 3}, "bubbybot.lever"),
        ({"entry_order": "stop"}, "bubbybot.entry_order"),
        ({"exits": {"break_even_at": float("nan")}}, "bubbybot.exits.break_even_at"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_that_names_it(block, name):
    with pytest.raises(ConfigurationError) as caught:
        read(**block)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_owner_may_risk_less_than_the_rule():
    rules = read(risk={"min_risk": 0.0025, "max_risk": 0.01})
    assert (rules.risk.min_risk, rules.risk.max_risk) == (0.0025, 0.01)


def test_settings_cannot_change_after_start():
    rules = read()
    with pytest.raises(ValueError, match="frozen"):
        rules.risk.max_leverage = 100
