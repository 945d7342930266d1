"""Settings of Lux Algo, and what each part of its scores weighs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swing_trend: float = Field(default=0.15, ge=0, le=1)
    internal_trend: float = Field(default=0.10, ge=0, le=1)
    order_block: float = Field(default=0.20, ge=0, le=1)
    gap: float = Field(default=0.10, ge=0, le=1)
    zone: float = Field(default=0.10, ge=0, le=1)
    swing_choch: float = Field(default=0.25, ge=0, le=1)
    swing_bos: float = Field(default=0.20, ge=0, le=1)
    internal_choch: float = Field(default=0.15, ge=0, le=1)
    internal_bos: float = Field(default=0.10, ge=0, le=1)
    sweep: float = Field(default=0.25, ge=0, le=1)


class Settings(BaseModel):
    """
    Lengths count candles. Where None is allowed, 0 is None: a memory without end, or a mean over
    all candles before, which depends on where the frame begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    swing_length: int = Field(default=50, ge=1)
    internal_length: int = Field(default=5, ge=1)
    mean_range: Literal["wilder", "simple"] = "wilder"
    mean_range_length: int = Field(default=200, ge=1)
    order_block_wide_candle: float = Field(default=2.0, gt=0)
    order_block_mitigation: Literal["wick", "close"] = "wick"
    order_block_memory: int | None = Field(default=500, ge=0)
    gap_body_length: int | None = Field(default=500, ge=0)
    gap_body_factor: float = Field(default=2.0, ge=0)
    gap_memory: int | None = Field(default=500, ge=0)
    equal_length: int = Field(default=3, ge=1)
    equal_reach: float = Field(default=0.1, ge=0)
    premium: float = Field(default=0.95, gt=0.5, le=1)
    discount: float = Field(default=0.05, ge=0, lt=0.5)
    equilibrium_low: float = Field(default=0.475, ge=0, le=0.5)
    equilibrium_high: float = Field(default=0.525, ge=0.5, le=1)

    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()
