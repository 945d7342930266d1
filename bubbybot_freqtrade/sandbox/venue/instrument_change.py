"""What the venue can change about a contract while it is traded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.sandbox.market.instruments import Instrument


class InstrumentChange(BaseModel):
    """New values of an instrument; None leaves one as it is.

    state: `suspend` stops trading; `gone` takes it off the list and closes positions at mark price;
    `live` lists one that was gone, as a new one.
    expire_time: when it goes offline, ms; 0 takes the announcement back. contract_value: positions
    keep their base units, their contracts are cut anew.
    """

    model_config = ConfigDict(extra="forbid")

    state: Literal["live", "suspend", "gone"] | None = None
    expire_time: int | None = Field(default=None, ge=0)
    contract_value: Decimal | None = Field(default=None, gt=0)
    min_size: Decimal | None = Field(default=None, gt=0)
    lot_size: Decimal | None = Field(default=None, gt=0)
    tick_size: Decimal | None = Field(default=None, gt=0)
    max_leverage: Decimal | None = Field(default=None, ge=1)
    max_limit_size: Decimal | None = Field(default=None, gt=0)
    max_market_size: Decimal | None = Field(default=None, gt=0)

    def applied_to(self, instrument: Instrument) -> Instrument:
        """The instrument as it is then."""
        return replace(instrument, **self.model_dump(exclude_none=True))
