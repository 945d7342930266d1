"""What all parts of the engine share: market, accounts, time, ids and event listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from bubbybot_freqtrade.sandbox.market.instruments import Instrument, Tier, tiers
from bubbybot_freqtrade.sandbox.market.prices import MarketData
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.instrument_change import InstrumentChange
from bubbybot_freqtrade.sandbox.venue.orders import AlgoOrder, Order, TpslOrder

Topic = Literal["orders", "orders-algo", "positions", "account"]
FIRST_ID = 1_000_000_001
FAR_BELOW, FAR_ABOVE = Decimal("0.2"), Decimal(5)


class Listener(Protocol):
    """Somebody who wants to hear of changes of an account: the private websocket."""

    def __call__(
        self,
        topic: Topic,
        account: Account,
        subject: Order | TpslOrder | AlgoOrder | Position | None,
    ) -> None:
        """`subject` is what changed; None for the account channel."""


@dataclass(slots=True)
class VenueState:
    """Everything that survives a restart of the sandbox.

    `shift_ms`: by how much recorded candles are moved to be played on a real clock.
    """

    now_ms: int
    accounts: dict[str, Account] = field(default_factory=dict)
    next_id: int = FIRST_ID
    last_funding_ms: int = 0
    shift_ms: int = 0
    instrument_changes: dict[str, dict[str, Any]] = field(default_factory=dict)


class Venue:
    """Shared context of clearing, matching, triggers and order entry. Not thread-safe by itself."""

    def __init__(self, settings: SandboxSettings, market: MarketData, state: VenueState) -> None:
        """`market` answers for prices at the time `state.now_ms`."""
        self.settings = settings
        self.market = market
        self.state = state
        self.listeners: list[Listener] = []
        self.passing: dict[str, Decimal] = {}
        # Not part of the state: secrets are not written to disk.
        self.keys: dict[str, ApiKey] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._tiers: dict[str, list[Tier]] = {}
        self._instruments: dict[str, Instrument] = {}
        self.reload_instruments()

    @property
    def now_ms(self) -> int:
        """The venue's time: how far the market has been played."""
        return self.state.now_ms

    @property
    def accounts(self) -> dict[str, Account]:
        """Accounts by user id."""
        return self.state.accounts

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Listed instruments by id, with the changes made to them since the start."""
        return self._instruments

    def reload_instruments(self) -> None:
        """Apply `state.instrument_changes` to the market's own list."""
        self._instruments = {}
        self._tiers = {}
        for inst_id, instrument in self.market.instruments.items():
            change = InstrumentChange.model_validate(self.state.instrument_changes.get(inst_id, {}))
            if change.state != "gone":
                self._instruments[inst_id] = change.applied_to(instrument)

    def instrument(self, inst_id: str) -> Instrument:
        """The instrument, or 152014."""
        try:
            return self._instruments[inst_id]
        except KeyError:
            raise VenueError("152014") from None

    def tiers(self, inst_id: str) -> list[Tier]:
        """Position tiers of a listed instrument."""
        if inst_id not in self._tiers:
            self._tiers[inst_id] = list(tiers(self.instrument(inst_id)))
        return self._tiers[inst_id]

    def last_price(self, inst_id: str) -> Decimal:
        """Last traded price now; on the way between two trades, the price that is being passed."""
        passing = self.passing.get(inst_id)
        return self.market.last_price(inst_id, self.now_ms) if passing is None else passing

    def passing_shift(self, inst_id: str) -> Decimal:
        """How far the price being passed is from the market's trade at this moment."""
        passing = self.passing.get(inst_id)
        return ZERO if passing is None else passing - self.market.last_price(inst_id, self.now_ms)

    def mark_price(self, inst_id: str) -> Decimal:
        """Mark price now."""
        return self.market.mark_price(inst_id, self.now_ms)

    def price_of(self, inst_id: str) -> Callable[[str], Decimal]:
        """The instrument's price now, by type: last, index or mark."""

        def price(kind: str) -> Decimal:
            if kind == "last":
                return self.last_price(inst_id)
            if kind == "mark":
                return self.mark_price(inst_id)
            return self.market.index_price(inst_id, self.now_ms)

        return price

    def price_range(self, inst_id: str, side: str) -> tuple[Decimal, Decimal]:
        """Lowest and highest price an order of this side may trade at now, on ticks.

        They follow the index price. Upwards for a buy and downwards for a sell they are the
        settings' band; the far ends are as wide as the reference's example (310.40 to 1629.40).
        """
        index = self.market.index_price(inst_id, self.now_ms)
        tick = self.instrument(inst_id).tick_size
        band = self.settings.price_band
        low, high = {"buy": (FAR_BELOW, 1 + band), "sell": (1 - band, FAR_ABOVE)}[side]
        return (index * low // tick + 1) * tick, index * high // tick * tick

    def new_id(self) -> str:
        """Next id; one ascending series for orders, positions, trades and ledger entries."""
        number = self.state.next_id
        self.state.next_id = number + 1
        return str(number)

    def emit(
        self,
        topic: Topic,
        account: Account,
        subject: Order | TpslOrder | AlgoOrder | Position | None = None,
    ) -> None:
        """Tell the listeners that something changed."""
        self.on_change()
        for listener in self.listeners:
            listener(topic, account, subject)
