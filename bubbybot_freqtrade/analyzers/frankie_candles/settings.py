"""Settings of Frankie Candles, and what each part of its scores weighs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Hour = Annotated[int, Field(ge=0, le=23)]


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    golden_pocket: float = Field(default=0.35, ge=0, le=1)
    value_outside: float = Field(default=0.15, ge=0, le=1)
    value_half: float = Field(default=0.10, ge=0, le=1)
    divergence: float = Field(default=0.30, ge=0, le=1)
    divergence_more: float = Field(default=0.10, ge=0, le=1)
    divergence_hidden: float = Field(default=0.20, ge=0, le=1)
    divergence_strong: float = Field(default=0.20, ge=0, le=1)


class Settings(BaseModel):
    """Lengths count candles; hours are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile_window: int = Field(default=480, ge=1)
    profile_rows: int = Field(default=100, ge=1)
    value_area: float = Field(default=0.7, gt=0, le=1)
    value_area_rows: int = Field(default=1, ge=1)
    period_rows: int = Field(default=50, ge=1)
    session_hours: tuple[Hour, ...] = Field(default=(0, 8, 13), min_length=1)
    naked_memory: int = Field(default=480, ge=1)
    flow_window: int = Field(default=480, ge=1)

    rsi_length: int = Field(default=14, ge=2)
    mfi_length: int = Field(default=14, ge=2)
    wave_channel_length: int = Field(default=9, ge=1)
    wave_average_length: int = Field(default=12, ge=1)
    wave_signal_length: int = Field(default=3, ge=1)
    wave_factor: float = Field(default=0.015, gt=0)
    macd_fast: int = Field(default=12, ge=1)
    macd_slow: int = Field(default=26, ge=1)
    cci_length: int = Field(default=20, ge=2)
    stoch_length: int = Field(default=14, ge=2)
    stoch_smooth: int = Field(default=3, ge=1)
    higher_minutes: int = Field(default=60, ge=1)
    pivot_side: int = Field(default=5, ge=1)
    pivot_reach: int = Field(default=60, ge=1)

    swing_length: int = Field(default=50, ge=1)
    pocket_near: float = Field(default=0.618, ge=0, le=1)
    pocket_far: float = Field(default=0.65, ge=0, le=1)
    ote_near: float = Field(default=0.62, ge=0, le=1)
    ote_far: float = Field(default=0.79, ge=0, le=1)

    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()
