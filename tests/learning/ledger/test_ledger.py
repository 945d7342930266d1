"""What the ledger makes of trades at a moment, and of a signal."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.learning.ledger import (
    History,
    Ledger,
    PastTrade,
    Situation,
    is_vetoed,
    patterns_of,
)
from bubbybot_freqtrade.learning.regime import regime_of
from bubbybot_freqtrade.risk.plan import NO_OPINION, Refusal, Signal
from bubbybot_freqtrade.settings import LearningSettings

LAW = settings(deadline=None, max_examples=60)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BOTH = LearningSettings(scale_risk=True, veto=True)
SIGNAL = Signal(BTC, "long", 98.0, 106.0, 0.8, "mc:dot lux:ob fc:gp", "trend calm")
HERE = Situation("mc:dot", "long", BTC, "trend calm")


def past(days: float = 1.0, r: float = -1.0, **changes: Any) -> PastTrade:
    made = PastTrade(
        pair=BTC,
        side="long",
        tag="mc:dot lux:state fc:state",
        regime="trend calm",
        known=NOW - timedelta(days=days),
        r=r,
        outcome=1.0 if r > 0 else 0.0,
    )
    return replace(made, **changes)


PAST = st.builds(
    past,
    days=st.floats(-400, 400),
    r=st.sampled_from([-1.0, -0.3, 2.4, 3.0]),
    pair=st.sampled_from([BTC, ETH]),
    side=st.sampled_from(["long", "short"]),
    tag=st.sampled_from(["mc:dot lux:ob fc:gp", "mc:dot lux:bos fc:gp", "mc:div lux:ob fc:div"]),
    regime=st.sampled_from(["trend calm", "trend wild", ""]),
)


def weigh(
    trades: Sequence[PastTrade], settings: LearningSettings = BOTH, signal: Signal = SIGNAL
) -> Signal | Refusal:
    return Ledger(settings).weigh(History(trades), signal, NOW)


@LAW
@given(st.lists(PAST, max_size=40), st.lists(PAST, max_size=10))
def test_trades_that_close_after_the_signal_change_nothing(trades, more):
    future = [
        replace(trade, known=NOW + timedelta(microseconds=1 + i)) for i, trade in enumerate(more)
    ]
    settings = LearningSettings(scale_risk=True, veto=True, interval=0.5)
    assert weigh([*trades, *future], settings) == weigh(trades, settings)
    with_prior = Ledger(settings, History([*trades, *future]))
    assert with_prior.weigh(History(), SIGNAL, NOW) == Ledger(settings, History(trades)).weigh(
        History(), SIGNAL, NOW
    )


def test_a_trade_counts_from_the_moment_it_is_known():
    ledger = Ledger(BOTH)
    history = History([past(days=0)])
    assert ledger.posterior(history, HERE, NOW).weight == 1
    assert ledger.posterior(history, HERE, NOW - timedelta(microseconds=1)).weight == 0


def test_each_difference_and_each_half_life_halves_a_trades_weight():
    ledger = Ledger(BOTH)
    weights = {
        "same": past(days=0),
        "pair": past(days=0, pair=ETH),
        "regime": past(days=0, regime="trend wild"),
        "both": past(days=0, pair=ETH, regime=""),
        "old": past(days=180),
        "other side": past(days=0, side="short"),
        "other pattern": past(days=0, tag="mc:div lux:ob"),
    }
    known = {
        name: ledger.posterior(History([trade]), HERE, NOW).weight
        for name, trade in weights.items()
    }
    assert known == pytest.approx(
        {"same": 1, "pair": 0.5, "regime": 0.5, "both": 0.25, "old": 0.5}
        | {"other side": 0, "other pattern": 0}
    )
    anywhere = ledger.posterior(History([weights["both"]]), Situation("mc:dot", "long"), NOW)
    assert anywhere.weight == 1


def test_a_losing_pattern_is_vetoed_and_comes_back_when_its_losses_are_forgotten():
    settings = LearningSettings(veto=True, half_life_days=30)
    lost = [past(days=i / 10) for i in range(12)]
    refused = weigh(lost, settings)
    assert isinstance(refused, Refusal)
    assert "mc:dot long (trend calm)" in refused.reason
    later = NOW + timedelta(days=60)
    assert Ledger(settings).weigh(History(lost), SIGNAL, later) == SIGNAL
    # The same losses of another pattern, side or tag without patterns are none of its business.
    for other in ({"tag": "mc:div"}, {"side": "short"}, {"tag": "a hunch"}):
        assert weigh([replace(trade, **other) for trade in lost], settings) == SIGNAL


def test_the_more_a_pattern_has_paid_the_more_is_trusted():
    settings = LearningSettings(scale_risk=True)
    trusts = []
    for wins in range(0, 11, 2):
        trades = [past(r=2.5)] * wins + [past(r=-1.0)] * (10 - wins)
        trusts.append(weigh(trades, settings).trust)
    assert trusts == sorted(trusts)
    assert trusts[0] < NO_OPINION < trusts[-1]
    assert weigh([], settings).trust == pytest.approx(NO_OPINION)


@LAW
@given(st.lists(PAST, max_size=30))
def test_without_settings_nothing_changes(trades):
    assert weigh(trades, LearningSettings()) == SIGNAL
    answer = weigh(trades, LearningSettings(veto=True))
    assert answer == SIGNAL or isinstance(answer, Refusal)


def test_a_tag_without_patterns_is_left_alone():
    forced = replace(SIGNAL, tag="force_entry")
    assert weigh([past()] * 50, signal=forced) == forced
    assert patterns_of("mc:dot lux:ob mc:dot hunch") == ["mc:dot", "lux:ob"]


def test_a_backtests_trades_move_the_prior_but_not_beyond_its_worth():
    lost = History([past()] * 500)
    ledger = Ledger(BOTH, lost)
    nothing = ledger.posterior(History(), HERE, NOW)
    assert nothing.weight == 0
    assert nothing.mean_r < -0.9
    # Some ten wins of its own outweigh any number of losses in the backtest.
    won = ledger.posterior(History([past(days=0, r=3.0)] * 10), HERE, NOW)
    assert won.mean_r > 1
    # The prior does not age.
    later = ledger.posterior(History(), HERE, NOW + timedelta(days=3_000))
    assert later == nothing


@LAW
@given(st.lists(PAST, max_size=20))
def test_situations_are_those_that_were_traded(trades):
    history = History(trades)
    fine = history.situations(by_pair=True, by_regime=True)
    assert len(set(fine)) == len(fine)
    expected = {
        Situation(code, trade.side, trade.pair, trade.regime)
        for trade in trades
        for code in trade.tag.split()
    }
    assert set(fine) == expected
    assert {replace(s, pair="", regime="") for s in fine} == set(
        history.situations(by_pair=False, by_regime=False)
    )


def test_a_veto_is_an_upper_end_below_zero():
    known = Ledger(BOTH).posterior(History([past()] * 30), HERE, NOW)
    assert is_vetoed(known)
    assert not is_vetoed(replace(known, mean_r_high=0.0))


def seen(direction: int, side: str, atr: np.ndarray) -> str:
    """The regime of the last of these candles, where the market's own is `direction`."""
    frame = pd.DataFrame({"close": 100.0, "plan_atr": atr, "regime": float(direction)})
    return regime_of(frame, len(frame) - 1, side)


@pytest.mark.parametrize(
    ("direction", "side", "expected"),
    [(1, "long", "trend"), (1, "short", "counter"), (-1, "short", "trend"), (0, "long", "range")],
)
def test_a_regime_is_seen_from_the_side(direction, side, expected):
    rising = np.linspace(1, 2, 900)
    assert seen(direction, side, rising) == f"{expected} wild"
    assert seen(direction, side, rising[::-1]) == f"{expected} calm"


def test_a_regime_knows_only_the_week_before_its_row():
    atr = np.ones(1_401)
    atr[:700] = 9.0
    atr[1_400] = 1.1
    assert seen(1, "long", atr) == "trend wild"
    assert seen(1, "long", np.full(5, np.nan)) == "trend calm"
