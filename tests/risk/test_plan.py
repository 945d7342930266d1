"""The laws of a trade plan, over random signals, accounts and markets.

The checks restate the owner's rules and the exchange arithmetic on their own; they use no formula
of the module under test.
"""

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.plan import (
    LeverageTier,
    MarketLimits,
    Refusal,
    Signal,
    TradePlan,
    ceil_to,
    desired_risk,
    fit,
    floor_to,
    plan,
)
from bubbybot_freqtrade.settings import RiskSettings

# Wider than the default, to reach the corner where 50x is the cap.
RULES = RiskSettings(min_stop=0.006)
BTC = MarketLimits(
    pair="BTC/USDT:USDT",
    size_step=0.0001,
    min_size=0.0001,
    max_size=200.0,
    tick=0.1,
    fee=0.0006,
    tiers=(
        LeverageTier(100_000, 0.004, 125),
        LeverageTier(1_000_000, 0.005, 100),
        LeverageTier(20_000_000, 0.01, 50),
        LeverageTier(100_000_000, 0.05, 10),
    ),
)
GOOD_LONG = Signal("BTC/USDT:USDT", "long", stop=58_800, target=64_000, confidence=0.8, tag="x")


@st.composite
def markets(draw):
    price = 10 ** draw(st.floats(-4, 5))
    contract = draw(st.sampled_from([0.001, 0.01, 1, 10, 1000]))
    step = contract * draw(st.sampled_from([0.1, 1, 1.0]))
    bounds = sorted(draw(st.lists(st.floats(1e3, 1e8), min_size=1, max_size=5, unique=True)))
    rates = sorted(
        draw(st.lists(st.floats(0.002, 0.2), min_size=len(bounds), max_size=len(bounds)))
    )
    tiers = tuple(
        LeverageTier(bound, rate, math.floor(min(150, 0.7 / rate)))
        for bound, rate in zip(bounds, rates, strict=True)
    )
    market = MarketLimits(
        pair="ANY/USDT:USDT",
        size_step=step,
        min_size=step * draw(st.integers(1, 10)),
        max_size=step * draw(st.sampled_from([10**9, 10_000, 100])),
        tick=10 ** math.floor(math.log10(price) - draw(st.integers(2, 5))),
        fee=draw(st.floats(0, 0.002)),
        tiers=tiers,
        min_notional=draw(st.sampled_from([0.0, 5.0])),
    )
    return market, price


@st.composite
def signals(draw, price):
    """Most of them what a strategy would send, the rest anything."""
    side = draw(st.sampled_from(["long", "short"]))
    sign = 1 if side == "long" else -1
    if draw(st.integers(0, 3)):
        stop = draw(st.floats(0.007, 0.05))
        target, confidence = stop * draw(st.floats(2.2, 8)) + 0.004, draw(st.floats(0.7, 1))
    else:
        stop, target = draw(st.floats(-0.01, 0.12)), draw(st.floats(-0.01, 0.5))
        confidence = draw(st.sampled_from([1.0, 0.85, 0.7, 0.69, 0.3]))
    return Signal(
        "ANY/USDT:USDT", side, price * (1 - sign * stop), price * (1 + sign * target), confidence
    )


@st.composite
def cases(draw):
    market, price = draw(markets())
    equity = market.size_step * price * 10 ** draw(st.floats(1, 5))
    return market, price, draw(signals(price)), equity


def assert_keeps_every_rule(made: TradePlan, market: MarketLimits, price: float, equity: float):
    long = made.side == "long"
    near = 1e-6
    assert made.entry == price
    assert (made.stop < price < made.target) if long else (made.target < price < made.stop)
    # Sizes: whole steps within the venue's bounds.
    steps = made.size / market.size_step
    assert steps == pytest.approx(round(steps), rel=1e-9)
    assert market.min_size * (1 - near) <= made.size <= market.max_size * (1 + near)
    # Leverage: whole, at most 50, at most the tier's.
    assert made.leverage == int(made.leverage)
    assert 1 <= made.leverage <= 50
    notional = made.size * price
    tier = next(tier for tier in market.tiers if notional <= tier.max_notional)
    assert made.leverage <= tier.max_leverage
    # Margin at most 5 %, loss at the stop with both fees 2–5 % of equity.
    assert notional / made.leverage <= 0.05 * equity * (1 + near)
    at_stop = made.size * ((price - made.stop) if long else (made.stop - price))
    loss = at_stop + market.fee * made.size * (price + made.stop)
    assert 0.02 * (1 - near) <= loss / equity <= 0.05 * (1 + near)
    # Reward: what is left at the target after both fees is at least twice that loss.
    at_target = made.size * ((made.target - price) if long else (price - made.target))
    assert at_target - market.fee * made.size * (price + made.target) >= 2 * loss * (1 - near)
    # The margin still covers maintenance and closing at the stop plus the buffer.
    room = max(0.25 * abs(price - made.stop), 0.003 * price)
    bound = made.stop - room if long else made.stop + room
    profit = made.size * ((bound - price) if long else (price - bound))
    left = notional / made.leverage - market.fee * notional + profit
    need = (tier.maintenance_rate + market.fee) * made.size * bound
    assert left >= need - near * notional


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_plan_ever_breaks_a_rule(case):
    market, price, signal, equity = case
    made = plan(signal, price, equity, market, RULES, min_confidence=0.7)
    if isinstance(made, Refusal):
        assert made.reason.startswith("ANY/USDT:USDT: ")
        return
    assert signal.confidence >= 0.7
    assert_keeps_every_rule(made, market, price, equity)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.floats(-1, 2))
def test_no_trust_in_past_trades_breaks_a_rule(case, trust):
    market, price, signal, equity = case
    made = plan(replace(signal, trust=trust), price, equity, market, RULES, min_confidence=0.7)
    if isinstance(made, TradePlan):
        assert made.trust == trust
        assert_keeps_every_rule(made, market, price, equity)


@given(st.floats(0.7, 1), st.floats(0, 1), st.floats(0, 1))
def test_trust_moves_the_risk_between_its_bounds(confidence, trust, more):
    trust, more = sorted((trust, more))
    risks = [desired_risk(confidence, 0.7, RULES, given) for given in (0, trust, more, 1)]
    assert risks == pytest.approx(sorted(risks))
    assert (risks[0], risks[-1]) == pytest.approx((RULES.min_risk, RULES.max_risk))
    told_nothing = desired_risk(confidence, 0.7, RULES, 0.5)
    assert told_nothing == pytest.approx(desired_risk(confidence, 0.7, RULES))


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(1, 60))
def test_a_leverage_fixed_from_outside_is_kept_or_refused(case, leverage):
    market, price, signal, equity = case
    made = plan(signal, price, equity, market, RULES, min_confidence=0.7, leverage=leverage)
    if isinstance(made, TradePlan):
        assert made.leverage == leverage
        assert_keeps_every_rule(made, market, price, equity)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.007, 0.05), st.floats(0.7, 1), st.floats(2.6, 8), st.sampled_from([1, -1]))
def test_an_ordinary_signal_on_a_liquid_market_is_a_plan(distance, confidence, reward, sign):
    # The rules leave room for every stop between 0.8 % and 5 %: 2 % risk needs 40 % of the margin.
    assume(distance > 0.008)
    side = "long" if sign == 1 else "short"
    signal = Signal(
        BTC.pair,
        side,
        stop=60_000 * (1 - sign * distance * 0.999),
        target=60_000 * (1 + sign * (distance * reward + 0.004)),
        confidence=confidence,
    )
    made = plan(signal, 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan), made
    one_less = fit(signal, 60_000, made.size, made.leverage - 1, 10_000, BTC, RULES)
    assert isinstance(one_less, Refusal)
    assert "margin" in one_less.reason, "a lower leverage would have fitted"


@settings(max_examples=200, deadline=None)
@given(st.floats(0.7, 1), st.floats(0.7, 1), st.floats(0.009, 0.05))
def test_more_confidence_never_risks_less(low, high, distance):
    low, high = sorted((low, high))
    made = [
        plan(
            replace(GOOD_LONG, stop=60_000 * (1 - distance), target=75_000, confidence=confidence),
            60_000,
            10_000,
            BTC,
            RULES,
            min_confidence=0.7,
        )
        for confidence in (low, high)
    ]
    assert made[0].risk <= made[1].risk * (1 + 1e-9)


@settings(max_examples=300, deadline=None)
@given(st.floats(1e-6, 1e7), st.sampled_from([1e-5, 0.001, 0.1, 0.5, 1, 3, 1000]))
def test_rounding_to_steps_is_exact_and_on_the_right_side(value, step):
    down, up = floor_to(value, step), ceil_to(value, step)
    slack = 1e-11 * value
    assert down <= value + slack
    assert up >= value - slack
    assert up - down <= step * (1 + 1e-9) + slack
    assert floor_to(down, step) == down
    assert ceil_to(up, step) == up


def test_rounding_forgives_float_noise():
    assert floor_to(0.1 + 0.2, 0.1) == 0.3
    assert floor_to(2.9999999999999996, 1) == 3
    assert ceil_to(0.1 + 0.2, 0.1) == 0.3


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"stop": 60_100.0}, "not between"),
        ({"target": 59_900.0}, "not between"),
        ({"stop": 59_900.0}, "stop at 0.167%"),
        ({"stop": 50_000.0, "target": 90_000.0}, "stop at 16.667%"),
        ({"target": 61_000.0}, "less than 2R"),
        ({"confidence": 0.69}, "confidence 0.6900 < 0.70"),
        # Never a number that is said to be less than itself.
        ({"confidence": 0.6999}, "confidence 0.6999 < 0.70"),
        ({"stop": 60_000.2}, "at 60,000 is not between stop 60,000.2"),
        ({"stop": math.nan}, "must be known"),
        ({"target": math.inf}, "must be known"),
    ],
)
def test_a_signal_outside_the_rules_is_refused_with_its_reason(change, word):
    refused = plan(replace(GOOD_LONG, **change), 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(refused, Refusal)
    assert word in refused.reason


@pytest.mark.parametrize("equity", [0.0, -5.0, math.nan])
def test_no_equity_no_trade(equity):
    assert isinstance(plan(GOOD_LONG, 60_000, equity, BTC, RULES, min_confidence=0.7), Refusal)


def test_an_account_too_small_for_one_contract_is_refused():
    coarse = replace(BTC, size_step=1.0, min_size=1.0)
    refused = plan(GOOD_LONG, 60_000, 10_000, coarse, RULES, min_confidence=0.7)
    assert isinstance(refused, Refusal)


def test_what_is_too_small_is_named_size_or_value():
    for market, word in (
        (replace(BTC, size_step=1.0, min_size=1.0), "size 0 is below the venue's 1"),
        (replace(BTC, min_notional=1e9), "is below the venue's 1000000000.00"),
    ):
        refused = plan(GOOD_LONG, 60_000, 10_000, market, RULES, min_confidence=0.7)
        assert isinstance(refused, Refusal)
        assert word in refused.reason


def test_five_percent_risk_does_not_fit_five_percent_margin():
    # The whole margin lost at the stop is a liquidation: the buffer must bring the risk down.
    made = plan(replace(GOOD_LONG, confidence=1.0), 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan)
    assert 0.03 < made.risk / 10_000 < 0.05


def test_fees_count_against_the_reward_and_in_the_risk():
    # Stop 600 away, target 1 250: 2.08R before fees, 1.75R after them.
    signal = replace(GOOD_LONG, stop=59_400, target=61_250)
    refused = plan(signal, 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(refused, Refusal)
    assert "2R" in refused.reason
    made = plan(replace(signal, target=62_000), 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan)
    assert made.risk == pytest.approx(made.size * (600 + 0.0006 * 119_400))


@pytest.mark.parametrize(
    ("side", "stop", "target", "expected"),
    [
        ("long", 58_800.07, 64_000.07, (58_800.0, 64_000.0)),
        ("short", 61_200.03, 56_000.03, (61_200.1, 56_000.1)),
    ],
)
def test_ticks_round_against_the_plan(side, stop, target, expected):
    signal = Signal(BTC.pair, side, stop, target, 0.8)
    made = plan(signal, 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan)
    assert (made.stop, made.target) == expected


def test_fit_refuses_each_broken_rule_by_name():
    made = plan(GOOD_LONG, 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan)

    def refit(size=made.size, leverage=made.leverage, signal=GOOD_LONG):
        refused = fit(signal, 60_000, size, leverage, 10_000, BTC, RULES)
        assert isinstance(refused, Refusal)
        return refused.reason

    assert "may use" in refit(leverage=51)
    assert "liquidation" in refit(leverage=50)
    assert "margin" in refit(leverage=made.leverage - 3)
    assert "risk" in refit(size=made.size / 2)
    assert "below the venue" in refit(size=0.0)
    assert "above the venue" in refit(size=300.0)
    assert "2R" in refit(signal=replace(GOOD_LONG, target=61_000)) or "R after" in refit(
        signal=replace(GOOD_LONG, target=61_000)
    )


def test_a_plan_survives_the_database():
    made = plan(GOOD_LONG, 60_000, 10_000, BTC, RULES, min_confidence=0.7)
    assert isinstance(made, TradePlan)
    assert TradePlan.from_dict(made.to_dict()) == made
    with pytest.raises(ValueError, match="no trade plan"):
        TradePlan.from_dict({"pair": "BTC/USDT:USDT"})


def test_limits_come_from_the_contract_market_in_base_currency():
    market = {
        "symbol": "BTC/USDT:USDT",
        "contractSize": 0.001,
        "precision": {"amount": 0.1, "price": 0.1},
        "limits": {"amount": {"min": 0.1, "max": 25_000}, "cost": {"min": None}},
        "taker": 0.0006,
    }
    limits = MarketLimits.from_ccxt(market, BTC.tiers)
    assert limits.size_step == pytest.approx(0.0001)
    assert limits.min_size == pytest.approx(0.0001)
    assert limits.max_size == pytest.approx(25)
    assert limits.min_notional == 0
    with pytest.raises(ValueError, match="BTC/USDT:USDT"):
        MarketLimits.from_ccxt(market, [])
