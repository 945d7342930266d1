"""What `bubbybot status` shows of positions, for 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bubbybot_freqtrade.risk.r import r_multiple
from bubbybot_freqtrade.signals.words import price


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """One position as venue and database see it; None where the one or the other has nothing.

    Prices and profits in quote currency, sizes in contracts. `target` and `stop` are the venue's
    standing orders: `stop` is where the last contract is out, of `covered` that have a stop. `last`
    is the entry where the venue has no price.
    """

    pair: str
    side: str
    entry: float
    last: float
    stop: float | None
    target: float | None
    liquidation: float | None
    trade_id: int | None
    leverage: float | None
    profit: float
    planned_stop: float | None
    amount: float = 0.0
    fee: float = 0.0
    on_venue: bool = True
    has_price: bool = True
    contracts: float = 0.0
    covered: float = 0.0

    @property
    def sign(self) -> int:
        """1 for a long, -1 for a short."""
        return 1 if self.side == "long" else -1

    @property
    def r(self) -> float | None:
        """Profit in R, if it were closed now; None without a plan or trade."""
        if not self.planned_stop or self.planned_stop == self.entry or not self.amount:
            return None
        return r_multiple(self.profit, self.amount, self.entry, self.planned_stop, self.fee)

    def distance(self, level: float | None) -> float | None:
        """Way of the price from now to `level` as a share of the price."""
        return None if level is None else level / self.last - 1

    @property
    def trouble(self) -> str:
        """What is wrong with it, in a few words; empty when nothing is."""
        if not self.has_price:
            return "BloFin has no price of it any more, the pair may be gone: look at it in the app"
        if not self.on_venue:
            return "no position on the venue"
        found = ["not in the database"] if self.trade_id is None else []
        if self.stop is None:
            found.append("NO STOP")
        elif self.covered < self.contracts * (1 - 1e-9):
            found.append(f"ITS STOP IS FOR {self.covered:g} OF {self.contracts:g} CONTRACTS")
        if self._is_liquidated_first:
            found.append("LIQUIDATION COMES BEFORE ITS STOP")
        return ", ".join(found)

    @property
    def _is_liquidated_first(self) -> bool:
        if self.stop is None or not self.liquidation:
            return False
        return self.sign * (self.stop - self.liquidation) <= 0

    def at(self, last: float | None) -> OpenPosition:
        """The same at another price, where there is one and freqtrade's books know the size."""
        if last is None or not self.amount:
            return self
        moved = (last - self.last) * self.amount
        return replace(self, last=last, profit=self.profit + moved * (self.sign - self.fee))


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment.

    :param kind: of positions, for people
    :param line: the day and the edge in words
    """

    kind: str
    positions: Sequence[OpenPosition]
    line: str

    @property
    def troubles(self) -> list[Text]:
        """A line for each position that has trouble."""
        return troubles(self.positions)

    def shown(self) -> Group:
        """All of it, as a terminal shows it."""
        found = positions_table(self.positions, self.kind) if self.positions else None
        return Group(found or f"No {self.kind.lower()}.", *self.troubles, self.line)

    def at(self, prices: Mapping[str, float]) -> Look:
        """The same with newer prices of some pairs."""
        return replace(self, positions=[one.at(prices.get(one.pair)) for one in self.positions])


def positions_table(positions: Sequence[OpenPosition], title: str = "Open positions") -> Table:
    """The table: levels on the venue, the way to each, R so far. Two lines each, for 80 columns."""
    table = Table(title=title, title_justify="left", show_lines=True, pad_edge=False)
    table.add_column("position", overflow="fold")
    for name in ("entry\nlast", "stop", "target", "liquidation", "R\nprofit"):
        table.add_column(name, justify="right", overflow="fold")
    for position in positions:
        number = "-" if position.trade_id is None else f"#{position.trade_id}"
        leverage = f" {position.leverage:g}x" if position.leverage else ""
        r = "-" if position.r is None else f"{position.r:+.2f}"
        table.add_row(
            f"{_market(position)}\n{number} {position.side}{leverage}",
            f"{price(position.entry)}\n{price(position.last)}",
            *(
                _level(position, level)
                for level in (position.stop, position.target, position.liquidation)
            ),
            f"{r}\n{position.profit:+.2f}",
        )
    return table


def troubles(positions: Sequence[OpenPosition]) -> list[Text]:
    """A line for each position that has trouble."""
    return [
        Text(f"{_market(position)} {position.side}: {position.trouble}", "bold red")
        for position in positions
        if position.trouble
    ]


def _market(position: OpenPosition) -> str:
    return position.pair.partition(":")[0]


def _level(position: OpenPosition, level: float | None) -> str:
    way = position.distance(level)
    return "-" if level is None or way is None else f"{price(level)}\n({way:+.2%})"
