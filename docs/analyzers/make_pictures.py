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

WIDTH, LEFT, RIGHT, BOTTOM = 960, 8, 78, 22
UP, DOWN, TEXT, GRID, AXIS = "#26a69a", "#ef5350", "#37474f", "#eceff1", "#78909c"
# Of the font below: what a label covers, for letting none lie on another.
LETTER, LINE = 6.4, 11.0


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
        self.labelled: list[tuple[float, float, float, float]] = []
        self.drawn = [
            f'<rect x="{LEFT}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT}" height="{height:.1f}" '
            f'fill="none" stroke="{GRID}"/>'
        ]
        for row in days(frame):
            self.drawn.append(
                f'<path d="M{self.x(row):.1f} {top:.1f}v{height:.1f}" stroke="{GRID}"/>'
            )

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

    def axis(self, values: Iterable[float], pattern: str = "{:g}") -> None:
        """Values on the right, each with a line across."""
        for value in values:
            y = self.y(value)
            self.drawn.append(
                f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
                f'<path d="M{WIDTH - RIGHT} {y:.1f}h4" stroke="{AXIS}"/>'
            )
            self.text(WIDTH - RIGHT + 7, y + 3, pattern.format(value), AXIS)

    def name(self, label: str) -> None:
        """What the strip shows, in its upper left corner."""
        self.text(LEFT + 5, self.top + 12, label, AXIS)

    def path(self, values: Iterable[float]) -> list[list[str]]:
        """Points of a line, in pieces where values are missing."""
        pieces: list[list[str]] = [[]]
        for row, value in enumerate(values):
            if np.isnan(value):
                pieces.append([])
            else:
                pieces[-1].append(f"{self.x(row):.1f},{self.y(value):.1f}")
        return [piece for piece in pieces if len(piece) > 1]

    def line(self, values: Iterable[float], color: str, width: float = 1.2) -> None:
        """A polyline that leaves gaps where values are missing."""
        self.drawn += [
            f'<polyline points="{" ".join(piece)}" fill="none" stroke="{color}" '
            f'stroke-width="{width}"/>'
            for piece in self.path(values)
        ]

    def fill(self, values: Iterable[float], color: str, base: float = 0.0) -> None:
        """What lies between a line and `base`, as a filled wave."""
        y = self.y(base)
        for piece in self.path(values):
            first, last = (point.partition(",")[0] for point in (piece[0], piece[-1]))
            points = " ".join([f"{first},{y:.1f}", *piece, f"{last},{y:.1f}"])
            self.drawn.append(f'<polygon points="{points}" fill="{color}"/>')

    def level(self, value: float, color: str = GRID, label: str = "") -> None:
        """A dotted line across, with its label on the right."""
        y = self.y(value)
        self.drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" '
            'stroke-dasharray="2 3"/>'
        )
        self.text(WIDTH - RIGHT + 7, y + 3, label or f"{value:g}")

    def text(
        self, x: float, y: float, label: str, color: str = TEXT, anchor: str = "start"
    ) -> None:
        """A small label, moved up or down to where it lies on no other; left out if nowhere."""
        width = LETTER * len(label)
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width
        for away in (0, -LINE, LINE, -2 * LINE, 2 * LINE):
            box = (left, y + away - LINE + 2, left + width, y + away + 2)
            inside = self.top <= box[1] and box[3] <= self.top + self.height + 4
            if inside and not any(overlaps(box, other) for other in self.labelled):
                break
        else:
            return
        self.labelled.append(box)
        self.drawn.append(
            f'<text x="{x:.1f}" y="{y + away:.1f}" fill="{color}" text-anchor="{anchor}">'
            f"{escape(label)}</text>"
        )

    def dot(self, row: int, value: float, color: str, radius: float = 4) -> None:
        """A mark."""
        self.drawn.append(
            f'<circle cx="{self.x(row):.1f}" cy="{self.y(value):.1f}" r="{radius}" fill="{color}" '
            'stroke="#263238" stroke-width="0.5"/>'
        )

    def triangle(self, row: int, value: float, color: str, *, up: bool) -> None:
        """A mark that points away from the candle it is below or above."""
        x, y, size = self.x(row), self.y(value) + (7 if up else -7), 4.5 if up else -4.5
        self.drawn.append(
            f'<path d="M{x:.1f} {y - size:.1f}l{size:.1f} {2 * size:.1f}h{-2 * size:.1f}z" '
            f'fill="{color}"/>'
        )
        self.labelled.append((x - 5, y - 5, x + 5, y + 5))

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

    def segment(
        self, first: int, last: int, price: float, color: str, label: str = "", dashes: str = ""
    ) -> None:
        """A level over some candles, its label in its middle."""
        left, right, y = self.x(first), self.x(last), self.y(price)
        self.drawn.append(
            f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{color}" '
            f'stroke-dasharray="{dashes}" fill="none"/>'
        )
        if label:
            self.text((left + right) / 2, y - 3, label, color, "middle")

    def annotate(self, annotation: dict, *, label_left: bool = False) -> None:
        """A box, line or point as `plot_annotations` gives it."""
        color, label = annotation["color"], annotation["label"]
        if annotation["type"] == "point":
            self.dot(self.row_of(annotation["x"]), annotation["y"], color)
            return
        first, last = (self.row_of(annotation[key]) for key in ("start", "end"))
        if annotation["type"] == "line":
            dashes = "" if annotation["line_style"] == "solid" else "4 3"
            self.segment(first, last, annotation["y_start"], color, label, dashes)
            return
        top, bottom = self.y(annotation["y_end"]), self.y(annotation["y_start"])
        if annotation["y_end"] > self.low and annotation["y_start"] < self.high:
            left, right = self.x(first), self.x(last)
            self.drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{bottom - top:.1f}" fill="{color}"/>'
            )
            x, anchor = (left + 4, "start") if label_left else (right - 4, "end")
            self.text(x, (top + bottom) / 2 + 3, label, anchor=anchor)


def overlaps(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) share a place."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def days(frame: pd.DataFrame) -> list[int]:
    """The rows that begin a day, or half of one where the frame is short."""
    hours = 12 if len(frame) < 300 else 24
    dates = frame["date"]
    return np.flatnonzero((dates.dt.hour % hours == 0) & (dates.dt.minute == 0)).tolist()


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round values between two others."""
    step = 10 ** np.floor(np.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= count)
    first = np.ceil(low / step)
    return [float((first + index) * step) for index in range(int(high / step - first) + 1)]


def price_panel(frame: pd.DataFrame, height: float) -> Panel:
    """The strip of candles, with a little air around and its price axis."""
    low, high = frame["low"].min(), frame["high"].max()
    air = 0.08 * (high - low)
    panel = Panel(frame, 6, height, low - air, high + air)
    panel.axis(ticks(panel.low, panel.high), "{:.2f}")
    return panel


def save(panels: list[Panel], file: Path) -> None:
    """Put the strips into one SVG, with the time axis below them."""
    bottom = max(panel.top + panel.height for panel in panels)
    body = "\n".join(piece for panel in panels for piece in panel.drawn)
    frame = panels[0].frame
    times = "".join(
        f'<text x="{panels[0].x(row):.1f}" y="{bottom + 14:.1f}" fill="{AXIS}" '
        f'text-anchor="middle">{frame["date"].iloc[row]:%b %d %H:%M}</text>'
        for row in days(frame)
        if 40 < panels[0].x(row) < WIDTH - RIGHT - 30
    )
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM:.0f}" '
        f'font-family="sans-serif" font-size="9.5"><rect width="100%" height="100%" fill="#fff"/>\n'
        f"{body}\n{times}\n</svg>\n",
        encoding="utf-8",
    )


def draw_market_cipher(folder: Path) -> None:
    """Ribbon and marks on the candles; filled waves with VWAP, dots and divergences; money flow."""
    frame = market_cipher.populate(candles(900, 104)).iloc[-190:].reset_index(drop=True)
    price = price_panel(frame, 230)
    price.line(frame["mc_ema_2"], "#26a69a")
    price.line(frame["mc_ema_8"], "#5c6bc0")
    price.candlesticks()
    for annotation in market_cipher.plot_annotations(frame):
        price.annotate(annotation)
    wave = Panel(frame, 244, 150, -100, 100)
    wave.axis((-60, 0, 60))
    wave.fill(frame["mc_wt1"], "#90caf9")
    wave.fill(frame["mc_wt2"], "#1565c0cc")
    wave.fill(frame["mc_wt_vwap"], "#fdd83599")
    for value in (53, -53):
        wave.segment(0, len(frame) - 1, value, "#b0bec5", dashes="2 3")
    wave.name("wave trend, VWAP yellow")
    draw_dots(wave, frame)
    draw_divergences(wave, frame)
    flow = Panel(frame, 402, 60, -30, 30)
    flow.axis((-20, 0, 20))
    flow.fill(frame["mc_money_flow"].clip(lower=0), "#66bb6acc")
    flow.fill(frame["mc_money_flow"].clip(upper=0), "#ef5350cc")
    flow.name("money flow")
    strength = Panel(frame, 470, 70, -5, 28)
    strength.axis((0, 15, 25))
    strength.line(frame["mc_dbsi_bull"], UP)
    strength.line(frame["mc_dbsi_bear"], DOWN)
    strength.name("DBSI")
    save([price, wave, flow, strength], folder / "market-cipher.svg")


def draw_dots(wave: Panel, frame: pd.DataFrame) -> None:
    """Green, red and gold dots on the wave."""
    for column, color in (
        ("mc_green_dot", "#00e676"),
        ("mc_red_dot", "#ff1744"),
        ("mc_gold_dot", "#ffc400"),
    ):
        for row in np.flatnonzero(frame[column]):
            wave.dot(row, frame["mc_wt2"][row], color)


def draw_divergences(wave: Panel, frame: pd.DataFrame) -> None:
    """Labels at the pivots, two candles before they are known."""
    for column, label in (
        ("mc_bull_div", "bull div"),
        ("mc_bear_div", "bear div"),
        ("mc_bull_div_hidden", "hidden"),
        ("mc_bear_div_hidden", "hidden"),
    ):
        color = DOWN if "bear" in column else "#00897b"
        for row in np.flatnonzero(frame[column]):
            away = -12 if "bear" in column else 16
            at = max(row - 2, 0)
            wave.text(wave.x(at), wave.y(frame["mc_wt2"][at]) + away, label, color, "middle")


def draw_lux_algo(folder: Path) -> None:
    """Breaks, living blocks and gaps, swings, equal levels, sweeps; the place in the range."""
    full = lux_algo.populate(candles(1_100, 94))
    frame = full.iloc[-230:].reset_index(drop=True)
    price = price_panel(frame, 380)
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
            price.triangle(row, frame[edge][row], color, up=edge == "low")
    draw_swings(price, full)
    draw_equal_levels(price, frame)
    place = Panel(frame, 394, 80, 0, 1)
    for value, label in ((0.95, "premium"), (0.5, "equilibrium"), (0.05, "discount")):
        place.level(value, "#b0bec5", label)
    place.line(frame["lux_range_pos"], "#0288d1")
    place.name("place in the range")
    save([price, place], folder / "lux-algo.svg")


def draw_swings(price: Panel, full: pd.DataFrame) -> None:
    """HH, LH, HL and LL of the internal structure at their pivots."""
    before = len(full) - len(price.frame)
    length = lux_algo.DEFAULTS.internal_length
    for name, edge, color in (
        ("hh", "high", "#c62828"),
        ("lh", "high", "#c62828"),
        ("hl", "low", "#00796b"),
        ("ll", "low", "#00796b"),
    ):
        for row in np.flatnonzero(full[f"lux_internal_{name}"]) - length:
            if row >= before:
                y = price.y(full[edge][row]) + (-5 if edge == "high" else 12)
                price.text(price.x(row - before), y, name.upper(), color, "middle")


def draw_equal_levels(price: Panel, frame: pd.DataFrame) -> None:
    """EQH and EQL between the pivot that made the level and the last extreme that it repeats."""
    length = lux_algo.DEFAULTS.equal_length
    for column, edge, label, color in (
        ("lux_eqh", "high", "EQH", "#c62828"),
        ("lux_eql", "low", "EQL", "#00796b"),
    ):
        values = frame[edge].to_numpy()
        for known in np.flatnonzero(frame[column]):
            pivot = known - length
            earlier = values[: max(pivot - length, 0)]
            if pivot < 0 or not len(earlier):
                continue
            near = np.flatnonzero(np.abs(earlier - values[pivot]) < 0.001 * values[pivot])
            if len(near):
                price.segment(int(near[-1]), int(pivot), values[pivot], color, label, "1 2")


def draw_frankie_candles(folder: Path) -> None:
    """The profile with POC, VAH and VAL, the golden pocket, strong divergences; counts below."""
    full = frankie_candles.populate(candles(1_200, 85))
    window = frankie_candles.DEFAULTS.profile_window
    frame = full.iloc[-window:].reset_index(drop=True)
    price = price_panel(frame, 320)
    annotations = frankie_candles.plot_annotations(full)
    first = frame["date"].iloc[0]
    for annotation in annotations:
        if annotation["type"] == "area":
            # The profile covers the right.
            price.annotate(annotation, label_left=True)
    draw_profile(price, frame)
    price.candlesticks()
    for annotation in annotations:
        if annotation["type"] == "point" and annotation["x"] >= first:
            price.annotate(annotation)
    last = frame.iloc[-1]
    for column, label, color in (
        ("fc_vah", "VAH", "#7e57c2"),
        ("fc_poc", "POC", "#d500f9"),
        ("fc_val", "VAL", "#7e57c2"),
    ):
        price.segment(
            0, len(frame) - 1, last[column], color, dashes="" if "poc" in column else "4 3"
        )
        price.text(LEFT + 5, price.y(last[column]) - 3, label, color)
    regular = Panel(frame, 334, 60, -3, 3)
    regular.axis((-2, 0, 2))
    regular.bars(frame["fc_bull_div"] - frame["fc_bear_div"])
    regular.name("divergences")
    hidden = Panel(frame, 402, 60, -3, 3)
    hidden.axis((-2, 0, 2))
    hidden.bars(frame["fc_bull_div_hidden"] - frame["fc_bear_div_hidden"])
    hidden.name("hidden divergences")
    save([price, regular, hidden], folder / "frankie-candles.svg")


def draw_profile(price: Panel, frame: pd.DataFrame) -> None:
    """The volume of the window by price, from the right edge; its value area darker."""
    rows = frankie_candles.DEFAULTS.profile_rows
    edges = np.linspace(frame["low"].min(), frame["high"].max(), rows + 1)
    low, high = frame["low"].to_numpy()[:, None], frame["high"].to_numpy()[:, None]
    inside = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
    share = np.clip(inside, 0, None) / np.maximum(high - low, 1e-12)
    volumes = (share * frame["volume"].to_numpy()[:, None]).sum(axis=0)
    val, vah = frame["fc_val"].iat[-1], frame["fc_vah"].iat[-1]
    for row, volume in enumerate(volumes / volumes.max()):
        middle = (edges[row] + edges[row + 1]) / 2
        top, bottom = price.y(edges[row + 1]), price.y(edges[row])
        width = 190 * volume
        color = "#9575cdaa" if val <= middle <= vah else "#b0bec5aa"
        price.drawn.append(
            f'<rect x="{WIDTH - RIGHT - width:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{max(bottom - top - 0.4, 0.4):.1f}" fill="{color}"/>'
        )


def main() -> None:
    """Draw all three."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    draw_market_cipher(folder)
    draw_lux_algo(folder)
    draw_frankie_candles(folder)


if __name__ == "__main__":
    main()
