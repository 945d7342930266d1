"""
Boxes, lines and points in the form freqtrade draws (`AnnotationType` of its `plot_annotations`).

Plain dicts, because the analyzers know nothing of freqtrade; it validates them on the way to the
chart.
"""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

Annotation = dict[str, Any]
LineStyle = Literal["solid", "dashed", "dotted"]
Shape = Literal["circle", "rect", "roundRect", "triangle", "pin", "arrow", "none"]


def area(
    dates: pd.Series, first: int, last: int, low: float, high: float, color: str, label: str
) -> Annotation:
    """A box over rows `first` to `last`, from price `low` to `high`."""
    return {
        "type": "area",
        **_corners(dates, first, last, low, high),
        "color": color,
        "label": label,
    }


def line(
    dates: pd.Series,
    first: int,
    last: int,
    price: float,
    color: str,
    label: str,
    width: int = 1,
    line_style: LineStyle = "solid",
) -> Annotation:
    """A level at `price` from row `first` to `last`."""
    return {
        "type": "line",
        **_corners(dates, first, last, price, price),
        "color": color,
        "label": label,
        "width": width,
        "line_style": line_style,
    }


def point(
    dates: pd.Series, row: int, price: float, color: str, label: str, shape: Shape, size: int = 8
) -> Annotation:
    """A mark on one row."""
    return {
        "type": "point",
        "x": dates.iloc[row].to_pydatetime(),
        "y": float(price),
        "color": color,
        "label": label,
        "shape": shape,
        "size": size,
    }


def _corners(dates: pd.Series, first: int, last: int, low: float, high: float) -> Annotation:
    return {
        "start": dates.iloc[first].to_pydatetime(),
        "end": dates.iloc[last].to_pydatetime(),
        "y_start": float(low),
        "y_end": float(high),
    }
