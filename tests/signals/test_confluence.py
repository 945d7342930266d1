"""The score of a side: agreement makes it, nothing against it is in it, and the tag says so."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.settings import MIN_CONFIDENCE, ConfluenceSettings
from bubbybot_freqtrade.signals.confluence import closes_an_hour, scores, tags
from bubbybot_freqtrade.signals.trend import PREFIXES, READING_COLUMNS, SIDES
from bubbybot_freqtrade.signals.words import ANALYZERS, reasons

NAMES = tuple(PREFIXES)
READING = st.floats(-1, 1)
ROWS = st.fixed_dictionaries(dict.fromkeys(NAMES, READING))


@st.composite
def any_settings(draw):
    parts = [draw(st.integers(0, 10)) for _ in NAMES]
    parts[draw(st.integers(0, 2))] += 1
    return ConfluenceSettings(
        **{name: part / sum(parts) for name, part in zip(NAMES, parts, strict=True)}
    )


def score_of(row, rules=None):
    made = scores({name: np.array([value]) for name, value in row.items()}, rules or DEFAULT)
    return dict(zip(SIDES, (float(score[0]) for score in made), strict=True))


DEFAULT = ConfluenceSettings()


def row_of(mc, lux, fc):
    return dict(zip(NAMES, (mc, lux, fc), strict=True))


@settings(max_examples=300, deadline=None)
@given(ROWS, any_settings())
def test_scores_are_shares_and_both_sides_never_have_one_that_trades(row, rules):
    made = score_of(row, rules)
    assert all(0 <= score <= 1 for score in made.values())
    assert min(made.values()) < MIN_CONFIDENCE


@settings(max_examples=300, deadline=None)
@given(ROWS, any_settings(), st.sampled_from(NAMES), READING)
def test_evidence_for_a_side_never_lowers_it_and_evidence_against_never_raises_it(
    row, rules, name, more
):
    before, after = score_of(row, rules), score_of(row | {name: max(more, row[name])}, rules)
    assert after["long"] >= before["long"] - 1e-12
    assert after["short"] <= before["short"] + 1e-12


@settings(max_examples=300, deadline=None)
@given(ROWS, any_settings())
def test_nothing_trades_against_an_analyzer_or_without_one(row, rules):
    made = score_of(row, rules)
    asked = [row[name] for name in NAMES if getattr(rules, name)]
    if made["long"] >= MIN_CONFIDENCE:
        assert min(asked) >= MIN_CONFIDENCE - 1e-9
    if made["short"] >= MIN_CONFIDENCE:
        assert max(asked) <= -MIN_CONFIDENCE + 1e-9
    if min(asked) >= MIN_CONFIDENCE:
        assert made["long"] >= MIN_CONFIDENCE, "agreement is enough, whatever the weights"


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(NAMES, st.floats(0.71, 0.99))), st.sampled_from(NAMES))
def test_a_younger_trend_to_one_of_those_that_agree_counts(row, name):
    assert score_of(row | {name: row[name] + 0.01})["long"] > score_of(row)["long"]


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(NAMES, st.floats(0, 0.69))), st.sampled_from(NAMES))
def test_evidence_that_is_added_counts_where_it_is_not_enough_yet(row, name):
    assert score_of(row | {name: row[name] + 0.01})["long"] > score_of(row)["long"]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((0, 0, 0), 0),
        ((1, 1, 1), 1),
        ((0.7, 0.7, 0.7), 0.7),
        # Half of each room is left: 0.7 + 0.3 · ½ · ½ · ½.
        ((0.85, 0.85, 0.85), 0.7375),
        # One is spent: 0.7 · (0.35 + 0.35 + 0.30 · ½), and no youth.
        ((1, 1, 0.35), 0.595),
        # Two against one: 0.7 · 0.35 for it, 0.7 · 0.65 for them.
        ((0.9, -0.9, -0.9), 0.245),
    ],
)
def test_scores_by_hand(readings, expected):
    row = row_of(*readings)
    assert score_of(row)["long"] == pytest.approx(expected)
    mirrored = {name: -value for name, value in row.items()}
    assert score_of(mirrored)["short"] == pytest.approx(expected)


def test_an_analyzer_without_weight_is_not_asked():
    rules = ConfluenceSettings(market_cipher=0.5, lux_algo=0.5, frankie_candles=0)
    assert score_of(row_of(1, 1, -1), rules) == {"long": 1.0, "short": 0.0}


def frame_of(rows):
    return pd.DataFrame(
        [{READING_COLUMNS[name]: value for name, value in row.items()} for row in rows]
    )


def test_the_tag_says_how_young_the_trend_is_to_each():
    frame = frame_of([row_of(0.9, 0.84, 0.85), row_of(-0.9, -0.7, -1)])
    assert tags(frame, np.array([0]), "long") == ["mc:early lux:late fc:early"]
    assert tags(frame, np.array([1]), "short") == ["mc:early lux:late fc:early"]
    assert tags(frame, np.array([], dtype=int), "long") == []


@pytest.mark.parametrize("side", SIDES)
def test_an_analyzer_that_opposes_is_never_named(side):
    """In no tag, and so in no message, ledger or report: all of them read the tag."""
    sign = 1 if side == "long" else -1
    rows = [row_of(*readings) for readings in product((-1, -0.7, 0, 0.7, 1), repeat=3)]
    made = tags(frame_of(rows), np.arange(len(rows)), side)
    for row, tag in zip(rows, made, strict=True):
        words = reasons(tag, side)
        for name, prefix in PREFIXES.items():
            named = f"{prefix}:" in tag or ANALYZERS[prefix] in words
            assert named == (sign * row[name] > 0), (row, tag, words)


def test_an_hour_is_closed_by_its_last_quarter():
    dates = pd.date_range("2025-01-01", periods=8, freq="15min", tz="UTC")
    closed = closes_an_hour(pd.DataFrame({"date": dates}))
    assert closed.tolist() == [False, False, False, True] * 2
