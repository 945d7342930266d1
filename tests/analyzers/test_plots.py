"""The plots draw in freqtrade: its own chart builder and its own annotation check are asked."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.lux_algo.structure import structure_walk

ANALYZERS = (market_cipher, lux_algo, frankie_candles)

each = pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda a: a.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def frame(market) -> pd.DataFrame:
    frame = market(2_000, 9)
    for analyzer in ANALYZERS:
        frame = analyzer.populate(frame)
    return frame


def columns_of(config: dict) -> list[str]:
    return [name for panel in [config["main_plot"], *config["subplots"].values()] for name in panel]


@each
def test_every_plotted_column_exists_and_each_has_a_color(analyzer) -> None:
    config = analyzer.plot_config()
    names = columns_of(config)
    assert len(names) == len(set(names))
    assert set(names) <= set(analyzer.COLUMNS)
    for panel in [config["main_plot"], *config["subplots"].values()]:
        for options in panel.values():
            assert options["color"].startswith("#")
            assert options.get("fill_to", names[0]) in names
    json.dumps(config)  # freqtrade's API sends it


def test_the_three_can_share_one_chart() -> None:
    panels = [name for analyzer in ANALYZERS for name in analyzer.plot_config()["subplots"]]
    assert len(panels) == len(set(panels))


@each
def test_freqtrades_chart_draws_every_column(analyzer, frame: pd.DataFrame) -> None:
    pytest.importorskip("plotly", reason="freqtrade's plots need plotly")
    from freqtrade.plot.plotting import generate_candlestick_graph

    figure = generate_candlestick_graph(
        pair="BTC/USDT:USDT", data=frame, plot_config=analyzer.plot_config()
    )
    drawn = {trace.name for trace in figure.data}
    assert set(columns_of(analyzer.plot_config())) <= drawn
    assert len(figure.to_json()) > 10_000


@each
def test_freqtrade_accepts_every_annotation(analyzer, frame: pd.DataFrame) -> None:
    drawn = analyzer.plot_annotations(frame)
    assert drawn
    first, last = frame["date"].iloc[0], frame["date"].iloc[-1]
    for annotation in drawn:
        AnnotationTypeTA.validate_python(annotation, extra="forbid")
        for key in ("start", "end", "x"):
            if key in annotation:
                assert isinstance(annotation[key], datetime)
                assert first <= annotation[key] <= last
        for key in ("y_start", "y_end", "y"):
            if key in annotation:
                assert type(annotation[key]) is float  # what JSON knows


@each
def test_a_frame_without_candles_has_no_annotation(analyzer, frame: pd.DataFrame) -> None:
    assert analyzer.plot_annotations(frame.iloc[:0]) == []


def of_label(drawn: list[dict], label: str) -> list[dict]:
    return [annotation for annotation in drawn if annotation["label"] == label]


def test_breaks_are_lines_from_the_pivot_to_the_break(frame: pd.DataFrame) -> None:
    drawn = lux_algo.plot_annotations(frame)
    for label in ("bos", "choch"):
        events = [c for c in lux_algo.COLUMNS if f"_{label}_" in c]
        lines = [a for a in drawn if a["type"] == "line" and a["label"].lower() == label]
        assert len(lines) == frame[events].sum().sum()
        by_date = frame.set_index("date")
        for line in lines:
            pivot = by_date.loc[line["start"]]
            assert line["y_start"] == line["y_end"]
            assert line["y_start"] in (pivot["high"], pivot["low"])
            assert line["start"] < line["end"]


def test_lines_begin_at_the_pivots_of_the_walk(frame: pd.DataFrame) -> None:
    drawn = {
        (line["start"], line["end"], line["width"])
        for line in lux_algo.plot_annotations(frame)
        if line["type"] == "line"
    }
    high, low, close = (frame[name].to_numpy() for name in ("high", "low", "close"))
    swing = structure_walk(high, low, close, 50)
    walks = swing, structure_walk(high, low, close, 5, guard=swing)
    walked = {
        (frame["date"][candle[row]], frame["date"][row], width)
        for walk, width in zip(walks, (2, 1), strict=True)
        for broken, candle in (
            (walk.bos_bull | walk.choch_bull, walk.high_candle),
            (walk.bos_bear | walk.choch_bear, walk.low_candle),
        )
        for row in np.flatnonzero(broken)
    }
    assert drawn == walked


@pytest.mark.parametrize("rows", [1, 40, 288, 900])
def test_a_chart_whose_start_was_cut_off_shows_the_same_market(
    frame: pd.DataFrame, rows: int
) -> None:
    """freqtrade cuts the start-up candles off a populated frame before it asks for a chart."""
    cut = frame.iloc[-rows:].reset_index(drop=True)
    begins = cut["date"].iloc[0]
    whole, shown = lux_algo.plot_annotations(frame), lux_algo.plot_annotations(cut)
    lines = [
        line | {"start": max(line["start"], begins)}
        for line in whole
        if line["type"] == "line" and line["end"] >= begins
    ]
    assert [line for line in shown if line["type"] == "line"] == lines
    boxes = [box for box in shown if box["type"] == "area"]
    assert all(box in whole for box in boxes)
    assert boxes or rows < 900


def test_a_golden_pocket_whose_leg_was_cut_off_begins_with_the_chart(frame: pd.DataFrame) -> None:
    (whole,) = of_label(frankie_candles.plot_annotations(frame), "golden pocket")
    began = frame.index[frame["date"] == whole["start"]][0]
    assert began < len(frame) - 41
    for first in (began - 100, began, began + 1, len(frame) - 40):
        cut = frame.iloc[first:].reset_index(drop=True)
        (pocket,) = of_label(frankie_candles.plot_annotations(cut), "golden pocket")
        assert cut["date"].iloc[0] <= pocket["start"] < pocket["end"]
        assert pocket["start"] in (whole["start"], cut["date"].iloc[0])


def test_boxes_are_the_zones_that_live_on_the_newest_row(frame: pd.DataFrame) -> None:
    drawn = lux_algo.plot_annotations(frame)
    newest = frame.iloc[-1]
    for side, word in (("bull", "bullish"), ("bear", "bearish")):
        for zone, label in (("ob", "block"), ("fvg", "gap")):
            boxes = of_label(drawn, f"{word} {label}")
            top, bottom = newest[f"lux_{side}_{zone}_top"], newest[f"lux_{side}_{zone}_bottom"]
            if pd.isna(top):
                assert boxes == []
            else:
                assert (bottom, top) in [(box["y_start"], box["y_end"]) for box in boxes]
            assert all(box["end"] == newest["date"] for box in boxes)


def test_value_area_and_golden_pocket_are_boxes_of_the_newest_row(frame: pd.DataFrame) -> None:
    drawn = frankie_candles.plot_annotations(frame)
    newest = frame.iloc[-1]
    (area,) = of_label(drawn, "value area")
    assert (area["y_start"], area["y_end"]) == (newest["fc_val"], newest["fc_vah"])
    assert area["start"] == frame["date"].iloc[-480]
    (pocket,) = of_label(drawn, "golden pocket")
    assert (pocket["y_start"], pocket["y_end"]) == (newest["fc_gp_bottom"], newest["fc_gp_top"])


def test_marks_stand_on_their_candles(frame: pd.DataFrame) -> None:
    drawn = market_cipher.plot_annotations(frame)
    gold = frame[frame["mc_gold_dot"]]
    assert [a["x"] for a in of_label(drawn, "gold")] == list(gold["date"])
    assert [a["y"] for a in of_label(drawn, "gold")] == list(gold["low"])
