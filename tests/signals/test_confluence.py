"""The score of a side: what raises it, what lowers it, and what the tag says of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.candles import average_true_range
from bubbybot_freqtrade.settings import ConfluenceSettings
from bubbybot_freqtrade.signals.confluence import (
    EVIDENCE,
    EVIDENCE_CANDLES,
    PREFIXES,
    SCORE_COLUMNS,
    SIDES,
    TIMEFRAMES,
    evidence,
    regime,
    scores,
    tags,
)
from tests.analyzers.conftest import generated_market

COLUMNS = [f"{name}{suffix}" for suffix in TIMEFRAMES for name in SCORE_COLUMNS]
SCORE = st.floats(0, 1)
ROWS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, SCORE))


@st.composite
def shares(draw, count):
    parts = [draw(st.integers(0, 10)) for _ in range(count)]
    parts[0] += 1
    return [part / sum(parts) for part in parts]


@st.composite
def any_settings(draw):
    analyzers, timeframes = draw(shares(3)), draw(shares(3))
    return ConfluenceSettings(
        market_cipher=analyzers[0],
        lux_algo=analyzers[1],
        frankie_candles=analyzers[2],
        base_timeframe=timeframes[0],
        context_1h=timeframes[1],
        context_4h=timeframes[2],
        agreement=draw(SCORE),
        conflict=draw(SCORE),
        full_evidence=draw(st.floats(0.6, 1)),
        full_score=draw(st.floats(0.6, 1)),
    )


def score_of(row, rules):
    long, short = scores(pd.DataFrame([row]), rules)
    return {"long": float(long[0]), "short": float(short[0])}


@settings(max_examples=300, deadline=None)
@given(ROWS, any_settings())
def test_scores_are_shares(row, rules):
    for score in score_of(row, rules).values():
        assert 0 <= score <= 1


@settings(max_examples=300, deadline=None)
@given(ROWS, any_settings(), st.sampled_from(COLUMNS), SCORE)
def test_evidence_for_a_side_never_lowers_it_and_evidence_against_never_raises_it(
    row, rules, column, more
):
    side = "long" if "_long_" in column else "short"
    other = "short" if side == "long" else "long"
    before, after = score_of(row, rules), score_of(row | {column: max(more, row[column])}, rules)
    assert after[side] >= before[side] - 1e-12
    assert after[other] <= before[other] + 1e-12


@settings(max_examples=200, deadline=None)
@given(ROWS, st.sampled_from(COLUMNS))
def test_evidence_that_is_added_counts(row, column):
    # Away from 0 and 1, where a score is cut, and below the analyzers' full evidence.
    rules = ConfluenceSettings(full_evidence=1, full_score=1, conflict=0.1)
    row = {name: 0.2 + 0.4 * value for name, value in row.items()}
    side = "long" if "_long_" in column else "short"
    other = "short" if side == "long" else "long"
    before, after = score_of(row, rules), score_of(row | {column: row[column] + 0.1}, rules)
    assert after[side] > before[side]
    assert after[other] < before[other]


def row_with(long=(0, 0, 0), short=(0, 0, 0)):
    return {
        f"{prefix}_{side}_score{suffix}": value
        for side, values in (("long", long), ("short", short))
        for prefix, value in zip(PREFIXES.values(), values, strict=True)
        for suffix in TIMEFRAMES
    }


def test_three_that_agree_are_worth_more_than_one_that_shouts():
    rules = ConfluenceSettings(market_cipher=1 / 3, lux_algo=1 / 3, frankie_candles=1 / 3)
    alone = score_of(row_with(long=(0.6, 0, 0)), rules)["long"]
    together = score_of(row_with(long=(0.2, 0.2, 0.2)), rules)["long"]
    assert together > alone


def test_a_conflicting_side_lowers_the_score():
    rules = ConfluenceSettings()
    clear = score_of(row_with(long=(0.3, 0.3, 0.3)), rules)["long"]
    torn = score_of(row_with(long=(0.3, 0.3, 0.3), short=(0.3, 0.3, 0.3)), rules)["long"]
    assert torn < clear


def test_full_evidence_of_all_three_is_a_score_of_one_and_none_is_zero():
    rules = ConfluenceSettings()
    assert score_of(row_with(long=(1, 1, 1)), rules) == {"long": 1.0, "short": 0.0}
    assert score_of(row_with(), rules) == {"long": 0.0, "short": 0.0}


def test_the_weights_by_hand():
    # 15m alone, nothing agrees, nothing conflicts: weight · timeframe share · score.
    rules = ConfluenceSettings(full_evidence=1, full_score=1)
    row = row_with() | {"mc_long_score": 0.5}
    assert score_of(row, rules)["long"] == pytest.approx(0.35 * 0.6 * 0.5)
    row = row_with() | {"fc_long_score_4h": 1.0}
    assert score_of(row, rules)["long"] == pytest.approx(0.30 * 0.15)


BY_HAND = ConfluenceSettings(
    market_cipher=0.5,
    lux_algo=0.3,
    frankie_candles=0.2,
    base_timeframe=1,
    context_1h=0,
    context_4h=0,
    agreement=0.5,
    conflict=0.4,
    full_evidence=0.8,
    full_score=0.9,
)


@pytest.mark.parametrize(
    ("long", "short", "long_score", "short_score"),
    [
        # Evidence, a score as a share of full_evidence: 0.64, 0.36, 0 against 0, 0, 0.5.
        # strength 0.5 · 0.64 + 0.3 · 0.36 = 0.428, conflict 0.2 · 0.5 = 0.1,
        # accord 0.5 · 0.3 · √(0.64 · 0.36) = 0.15 · 0.8 · 0.6 = 0.072 of 0.15 + 0.10 + 0.06.
        # The short side has 0.1 less 0.4 · 0.428: nothing.
        (
            (0.512, 0.288, 0),
            (0, 0, 0.4),
            (0.428 + 0.5 * 0.072 / 0.31 * (1 - 0.428) - 0.4 * 0.1) / 0.9,
            0,
        ),
        # 0.81, 0.25, 0.49 against 0.16, 0.36, 0.04; roots 0.9, 0.5, 0.7 and 0.4, 0.6, 0.2.
        # long: strength 0.405 + 0.075 + 0.098 = 0.578,
        #       accord 0.15 · 0.45 + 0.10 · 0.63 + 0.06 · 0.35 = 0.1515 of 0.31
        # short: strength 0.080 + 0.108 + 0.008 = 0.196,
        #       accord 0.15 · 0.24 + 0.10 · 0.08 + 0.06 · 0.12 = 0.0512 of 0.31
        (
            (0.648, 0.2, 0.392),
            (0.128, 0.288, 0.032),
            (0.578 + 0.5 * 0.1515 / 0.31 * (1 - 0.578) - 0.4 * 0.196) / 0.9,
            (0.196 + 0.5 * 0.0512 / 0.31 * (1 - 0.196) - 0.4 * 0.578) / 0.9,
        ),
        # Evidence is full from full_evidence on: 1, 1, 0 against 0, 0, 0.25.
        # strength 0.8, accord 0.15 of 0.31, conflict 0.05; over 0.9 and not cut yet.
        (
            (0.8, 0.9, 0),
            (0, 0, 0.2),
            (0.8 + 0.5 * 0.15 / 0.31 * (1 - 0.8) - 0.4 * 0.05) / 0.9,
            0,
        ),
    ],
)
def test_accord_and_conflict_by_hand(long, short, long_score, short_score):
    made = score_of(row_with(long=long, short=short), BY_HAND)
    assert made == pytest.approx({"long": long_score, "short": short_score}, abs=1e-12)


def test_evidence_is_a_share_where_the_timeframes_add_up_to_a_little_more_than_one():
    rules = ConfluenceSettings(base_timeframe=0.6 + 8e-10)
    full = pd.DataFrame([dict.fromkeys(COLUMNS, 1.0)])
    assert evidence(full, "mc", "long", rules)[0] == 1


def test_timeframes_without_candles_are_no_evidence():
    bare = pd.DataFrame([dict.fromkeys(SCORE_COLUMNS, 0.5)])
    with_nan = bare.assign(**{f"{name}_1h": np.nan for name in SCORE_COLUMNS})
    rules = ConfluenceSettings()
    assert np.array_equal(scores(bare, rules)[0], scores(with_nan, rules)[0])
    assert scores(bare.iloc[:0], rules)[0].shape == (0,)


@pytest.mark.parametrize(
    ("close", "rsi", "expected"),
    [
        *[(111, 61, 1), (89, 39, -1), (111, 39, 0), (89, 61, 0), (111, 60, 0), (110, 61, 0)],
        *[(100, 61, 0), (100, 39, 0), (111, np.nan, 0), (np.nan, 61, 0), (90, 39, 0), (89, 40, 0)],
    ],
)
def test_the_regime_is_a_trend_out_of_value(close, rsi, expected):
    frame = pd.DataFrame(
        {"close": [close], "mc_rsi_1h": [rsi], "fc_vah_1h": [110.0], "fc_val_1h": [90.0]}
    )
    assert regime(frame)[0] == expected
    assert regime(frame[["close", "mc_rsi_1h"]])[0] == 0


def frame_of_events(count=40, **events):
    frame = pd.DataFrame(index=range(count))
    for side in SIDES:
        for table in EVIDENCE[side].values():
            for item in table:
                frame[item.column] = False
                if item.unless:
                    frame[item.unless] = False
    frame["fc_in_golden_pocket"] = 0.0
    for column, rows in events.items():
        frame.loc[list(rows), column] = True
    return frame


def test_the_tag_names_the_strongest_recent_evidence_of_each_analyzer():
    frame = frame_of_events(
        mc_green_dot=[20], mc_bull_div=[18], lux_internal_bos_bull=[20], fc_bull_div=[5]
    )
    frame.loc[20, "fc_in_golden_pocket"] = -1.0
    assert tags(frame, np.array([20]), "long") == ["mc:div lux:bos fc:state"]
    assert tags(frame, np.array([20]), "short") == ["mc:state lux:state fc:gp"]


def test_evidence_is_forgotten_when_it_has_faded_and_never_known_before():
    frame = frame_of_events(mc_green_dot=[10])
    rows = np.array([9, 10, 10 + EVIDENCE_CANDLES - 1, 10 + EVIDENCE_CANDLES])
    assert [tag.split()[0] for tag in tags(frame, rows, "long")] == [
        "mc:state",
        "mc:dot",
        "mc:dot",
        "mc:state",
    ]


def test_a_state_counts_on_its_own_candle_only():
    frame = frame_of_events(lux_in_bull_ob=[10], lux_internal_choch_bull=[10])
    frame.loc[10, "fc_in_golden_pocket"] = 1.0
    assert tags(frame, np.array([10, 11]), "long") == [
        "mc:state lux:ob fc:gp",
        "mc:state lux:choch fc:state",
    ]


def test_an_event_that_adds_nothing_is_not_named():
    wrong = {"fc_bull_div_wrong_side": [20], "fc_bear_div_wrong_side": [20]}
    frame = frame_of_events(
        mc_bull_div=[20], mc_gold_dot=[20], fc_bull_div=[20], fc_bear_div_hidden=[15, 20], **wrong
    )
    assert tags(frame, np.array([20]), "long") == ["mc:state lux:state fc:state"]
    # The one before it, on the right side, still counts.
    assert tags(frame, np.array([20]), "short") == ["mc:state lux:state fc:divh"]


@pytest.fixture(scope="module")
def analyzed():
    frame = generated_market(12_000, 3)
    for analyzer in (market_cipher, lux_algo, frankie_candles):
        frame = analyzer.populate(frame)
    return frame


def own_score(frame, prefix, side):
    """The side's score of one analyzer, made of the frame's columns as they are."""
    columns = {name: frame[name].to_numpy() for name in frame}
    high, low, close = columns["high"], columns["low"], columns["close"]
    made = {
        "mc": lambda: market_cipher.scores(
            columns, close, average_true_range(high, low, close, 14)
        ),
        "lux": lambda: lux_algo.scores(columns, high, low),
        "fc": lambda: frankie_candles.scores(columns, close),
    }[prefix]()
    return made[SIDES.index(side)]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("prefix", PREFIXES.values())
def test_without_what_a_tag_names_the_score_is_lower(analyzed, prefix, side):
    named = pd.Series(tags(analyzed, np.arange(len(analyzed)), side)).str.split()
    codes = named.str[list(PREFIXES.values()).index(prefix)].str.removeprefix(f"{prefix}:")
    score = own_score(analyzed, prefix, side)
    # Where it is cut at 1 or blocked by a yellow cross, no part can be seen.
    seen = (score > 0) & (score < 1) if prefix == "mc" else score < 1
    for code in {item.code for item in EVIDENCE[side][prefix]}:
        columns = [item.column for item in EVIDENCE[side][prefix] if item.code == code]
        rows = (codes == code) & seen
        assert rows.sum() > 10
        absent = analyzed.assign(**{name: analyzed[name] * False for name in columns})
        without = own_score(absent, prefix, side)
        assert (without[rows] < score[rows] - 1e-3).all(), code


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("prefix", PREFIXES.values())
def test_an_analyzers_score_is_cut_at_one(analyzed, prefix, side):
    # Everything that can give a tag, three oscillators diverging: the weights are more than 1.
    table = EVIDENCE[side][prefix]
    all_at_once = {
        item.column: 3.0 * item.sign if analyzed[item.column].dtype == float else True
        for item in table
    }
    clear = dict.fromkeys(
        ["mc_yellow_cross", *(item.unless for item in table if item.unless)], False
    )
    assert (own_score(analyzed.assign(**all_at_once, **clear), prefix, side) == 1).all()


def test_both_sides_have_the_same_codes_for_mirrored_columns():
    mirrors = {"bull": "bear", "green": "red", "long": "short", "moon": "blood", "low": "high"}
    for analyzer, table in EVIDENCE["long"].items():
        for own, other in zip(table, EVIDENCE["short"][analyzer], strict=True):
            words = [mirrors.get(word, word) for word in own.column.split("_")]
            assert "_".join(words) == other.column
            assert mirrors.get(own.code, own.code) == other.code
            assert own.sign == other.sign or own.column == other.column
            assert own.is_state == other.is_state
