"""
Draws the pictures of these pages from seeded candles with the analyzers' own columns and
annotations.

    python docs/analyzers/make_pictures.py [folder]

Writes one SVG per analyzer beside this file (or into the folder given). No plotting library is
needed.
"""

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher

WIDTH, LEFT, RIGHT = 960, 8, 70
UP, DOWN, TEXT, GRID = "#26a69a", "#ef5350", "#37474f", "#eceff1"


def candles(count: int, seed: int) -> pd.DataFrame:
    """15m candles of a random walk with regimes and volatility clusters."""
    rng = np.random.default_rng(seed)
    heat = np.exp(0.7 * np.sin(np.arange(count) / 41.0) + 0.3 * rng.standard_normal(count))
    trend = 0.0002 * np.sign(np.sin(np.arange(count) / 90.0))
    close = 100 * np.exp(np.cumsum(0.002 * heat * rng.standard_t(4, count) / 1.4 + trend))
    open_ = np.concatenate([[100.0], close[:-1]])
    reach = 0.001 * heat * rng.exponential(1, (2, count))
    return pd.DataFrame(
        {
            "date": pd.date_range("2025-01-01", periods=count, freq="15min", tz="UTC"),
            "open": open_,
            "high": np.maximum(open_, close) * (1 + reach[0]),
            "low": np.minimum(open_, close) * (1 - reach[1]),
            "close": close,
            "volume": 100 * heat * rng.exponential(1, count),
        }
    )


class Panel:
    """One strip of the picture with its own scale; rows run over the whole frame shown."""

    def __init__(
        self, frame: pd.DataFrame, top: float, height: float, low: float, high: float
    ) -> None:
        """Values from `low` to `high` fill the strip from `top` down over `height` pixels."""
        self.frame, self.top, self.height, self.low, self.high = frame, top, height, low, high
        self.step = (WIDTH - LEFT - RIGHT) / len(frame)
        self.rows = {date: row for row, date in enumerate(frame["date"])}
        self.drawn = [
            f'<rect x="{LEFT}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT}" height="{height:.1f}" '
            f'fill="none" stroke="{GRID}"/>'
        ]

    def x(self, row: float) -> float:
        """Middle of a candle."""
        return LEFT + (row + 0.5) * self.step

    def y(self, value: float) -> float:
        """Height of a value, kept inside the strip."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - share)

    def row_of(self, date: pd.Timestamp) -> int:
        """The row of a date; dates before the frame shown lie on its left edge."""
        return self.rows.get(pd.Timestamp(date), 0)

    def line(self, values: Iterable[float], color: str, width: float = 1.2) -> None:
        """A polyline that leaves gaps where values are missing."""
        pieces, piece = [], []
        for row, value in enumerate([*values, np.nan]):
            if np.isnan(value):
                pieces.append(piece)
                piece = []
            else:
                piece.append(f"{self.x(row):.1f},{self.y(value):.1f}")
        self.drawn += [
            f'<polyline points="{" ".join(piece)}" fill="none" stroke="{color}" '
            f'stroke-width="{width}"/>'
            for piece in pieces
            if len(piece) > 1
        ]

    def level(self, value: float, color: str = GRID, label: str = "") -> None:
        """A dotted line across, with its label on the right."""
        y = self.y(value)
        self.drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" '
            'stroke-dasharray="2 3"/>'
        )
        self.text(WIDTH - RIGHT + 4, y + 3, label or f"{value:g}")

    def text(
        self, x: float, y: float, label: str, color: str = TEXT, anchor: str = "start"
    ) -> None:
        """A small label."""
        self.drawn.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">'
            f"{escape(label)}</text>"
        )

    def dot(self, row: int, value: float, color: str, radius: float = 4) -> None:
        """A mark."""
        self.drawn.append(
            f'<circle cx="{self.x(row):.1f}" cy="{self.y(value):.1f}" r="{radius}" fill="{color}" '
            'stroke="#263238" stroke-width="0.5"/>'
        )

    def bars(self, values: Iterable[float], up: str = UP, down: str = DOWN) -> None:
        """Bars from 0."""
        for row, value in enumerate(values):
            if not np.isnan(value):
                a, b = sorted((self.y(0), self.y(value)))
                self.drawn.append(
                    f'<rect x="{self.x(row) - self.step * 0.35:.1f}" y="{a:.1f}" '
                    f'width="{self.step * 0.7:.1f}" height="{b - a:.1f}" '
                    f'fill="{up if value > 0 else down}"/>'
                )

    def candlesticks(self) -> None:
        """The candles themselves."""
        for row, candle in enumerate(self.frame.itertuples()):
            color = UP if candle.close >= candle.open else DOWN
            a, b = sorted((self.y(candle.open), self.y(candle.close)))
            self.drawn.append(
                f'<path d="M{self.x(row):.1f} {self.y(candle.high):.1f}V{self.y(candle.low):.1f}" '
                f'stroke="{color}"/><rect x="{self.x(row) - self.step * 0.35:.1f}" y="{a:.1f}" '
                f'width="{self.step * 0.7:.1f}" height="{max(b - a, 0.6):.1f}" fill="{color}"/>'
            )

    def annotate(self, annotation: dict) -> None:
        """A box, line or point as `plot_annotations` gives it."""
        color, label = annotation["color"], annotation["label"]
        if annotation["type"] == "point":
            self.dot(self.row_of(annotation["x"]), annotation["y"], color)
            return
        left, right = (self.x(self.row_of(annotation[key])) for key in ("start", "end"))
        top, bottom = self.y(annotation["y_end"]), self.y(annotation["y_start"])
        if annotation["type"] == "area":
            if not annotation["y_end"] > self.low or not annotation["y_start"] < self.high:
                return
            self.drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{bottom - top:.1f}" fill="{color}"/>'
            )
            self.text(right + 4, (top + bottom) / 2 + 3, label)
            return
        dashes = "" if annotation["line_style"] == "solid" else ' stroke-dasharray="4 3"'
        self.drawn.append(
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{top:.1f}" y2="{top:.1f}" '
            f'stroke="{color}" stroke-width="{annotation["width"]}"{dashes}/>'
        )
        self.text((left + right) / 2, top - 3, label, color, "middle")


def price_panel(frame: pd.DataFrame, height: float) -> Panel:
    """The strip of candles, with a little air around."""
    low, high = frame["low"].min(), frame["high"].max()
    air = 0.08 * (high - low)
    return Panel(frame, 6, height, low - air, high + air)


def save(panels: list[Panel], file: Path) -> None:
    """Put the strips into one SVG."""
    height = max(panel.top + panel.height for panel in panels) + 8
    body = "\n".join(piece for panel in panels for piece in panel.drawn)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'font-family="sans-serif" font-size="9.5"><rect width="100%" height="100%" fill="#fff"/>\n'
        f"{body}\n</svg>\n",
        encoding="utf-8",
    )


def draw_market_cipher(folder: Path) -> None:
    """Ribbon and marks on the candles; wave trend with dots and divergences, money flow, DBSI."""
    frame = market_cipher.populate(candles(900, 104)).iloc[-190:].reset_index(drop=True)
    price = price_panel(frame, 230)
    price.line(frame["mc_ema_2"], "#26a69a")
    price.line(frame["mc_ema_8"], "#5c6bc0")
    price.candlesticks()
    for annotation in market_cipher.plot_annotations(frame):
        price.annotate(annotation)
    wave = Panel(frame, 244, 130, -100, 100)
    for value in (53, 0, -53):
        wave.level(value, "#b0bec5")
    wave.line(frame["mc_wt1"], "#90caf9")
    wave.line(frame["mc_wt2"], "#1565c0")
    for column, color in (
        ("mc_green_dot", "#00e676"),
        ("mc_red_dot", "#ff1744"),
        ("mc_gold_dot", "#ffc400"),
    ):
        for row in np.flatnonzero(frame[column]):
            wave.dot(row, frame["mc_wt2"][row], color)
    for column, label in (
        ("mc_bull_div", "bull div"),
        ("mc_bear_div", "bear div"),
        ("mc_bull_div_hidden", "hidden"),
        ("mc_bear_div_hidden", "hidden"),
    ):
        for row in np.flatnonzero(frame[column]):
            away = -12 if "bear" in column else 16
            wave.text(
                wave.x(row - 2), wave.y(frame["mc_wt2"][row - 2]) + away, label, anchor="middle"
            )
    flow = Panel(frame, 382, 60, -30, 30)
    flow.bars(frame["mc_money_flow"])
    flow.text(WIDTH - RIGHT + 4, 415, "money flow")
    strength = Panel(frame, 450, 70, -5, 28)
    strength.level(15, "#b0bec5")
    strength.line(frame["mc_dbsi_bull"], UP)
    strength.line(frame["mc_dbsi_bear"], DOWN)
    strength.text(WIDTH - RIGHT + 4, 515, "DBSI")
    save([price, wave, flow, strength], folder / "market-cipher.svg")


def draw_lux_algo(folder: Path) -> None:
    """Breaks, living blocks and gaps, sweeps; the place in the running range below."""
    full = lux_algo.populate(candles(1_100, 94))
    frame = full.iloc[-230:].reset_index(drop=True)
    price = price_panel(frame, 330)
    first = frame["date"].iloc[0]
    drawn = lux_algo.plot_annotations(full)
    shown = [a for a in drawn if a["end"] > first]
    for annotation in sorted(shown, key=lambda a: a["type"]):
        if annotation["type"] == "area":
            price.annotate(annotation)
    price.candlesticks()
    for annotation in shown:
        if annotation["type"] == "line":
            price.annotate(annotation)
    for column, edge, color in (
        ("lux_sweep_bull", "low", "#00c853"),
        ("lux_sweep_bear", "high", "#d50000"),
    ):
        for row in np.flatnonzero(frame[column]):
            price.dot(row, frame[edge][row], color)
    place = Panel(frame, 346, 80, 0, 1)
    for value, label in ((0.95, "premium"), (0.5, "equilibrium"), (0.05, "discount")):
        place.level(value, "#b0bec5", label)
    place.line(frame["lux_range_pos"], "#0288d1")
    save([price, place], folder / "lux-algo.svg")


def draw_frankie_candles(folder: Path) -> None:
    """Value area, POC and golden pocket of the newest row; counted divergences below."""
    full = frankie_candles.populate(candles(1_200, 85))
    frame = full.iloc[-480:].reset_index(drop=True)
    price = price_panel(frame, 300)
    for annotation in frankie_candles.plot_annotations(full):
        inside = annotation.get("x", frame["date"].iloc[-1]) >= frame["date"].iloc[0]
        if inside and annotation["type"] != "point":
            price.annotate(annotation)
    price.candlesticks()
    for annotation in frankie_candles.plot_annotations(full):
        if annotation["type"] == "point" and annotation["x"] >= frame["date"].iloc[0]:
            price.annotate(annotation)
    regular = Panel(frame, 314, 60, -3, 3)
    regular.bars(frame["fc_bull_div"] - frame["fc_bear_div"])
    regular.text(WIDTH - RIGHT + 4, 347, "divergences")
    hidden = Panel(frame, 382, 60, -3, 3)
    hidden.bars(frame["fc_bull_div_hidden"] - frame["fc_bear_div_hidden"])
    hidden.text(WIDTH - RIGHT + 4, 415, "hidden")
    save([price, regular, hidden], folder / "frankie-candles.svg")


def main() -> None:
    """Draw all three."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    draw_market_cipher(folder)
    draw_lux_algo(folder)
    draw_frankie_candles(folder)


if __name__ == "__main__":
    main()
