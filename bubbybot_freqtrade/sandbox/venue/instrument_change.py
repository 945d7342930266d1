"""What the venue can change about a contract while it is traded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.sandbox.market.instruments import Instrument

LATEST_MS = 4_102_444_800_000  # 2100-01-01
# As wide as contracts are, and narrow enough to be reckoned with.
Amount = Annotated[Decimal, Field(ge=Decimal("1e-18"), le=Decimal("1e18"))]


class InstrumentChange(BaseModel):
    """New values of an instrument; None leaves one as it is.

    state: `suspend` stops trading; `gone` takes it off the list and closes positions at mark price;
    `live` lists one that was gone, as a new one.
    expire_time: when it goes offline, ms; 0 takes the announcement back. contract_value: positions
    keep their base units, their contracts are cut anew.
    """

    model_config = ConfigDict(extra="forbid")

    state: Literal["live", "suspend", "gone"] | None = None
    expire_time: int | None = Field(default=None, ge=0, le=LATEST_MS)
    contract_value: Amount | None = None
    min_size: Amount | None = None
    lot_size: Amount | None = None
    tick_size: Amount | None = None
    max_leverage: Decimal | None = Field(default=None, ge=1, le=1000)
    max_limit_size: Amount | None = None
    max_market_size: Amount | None = None

    def applied_to(self, instrument: Instrument) -> Instrument:
        """The instrument as it is then."""
        return replace(instrument, **self.model_dump(exclude_none=True))
