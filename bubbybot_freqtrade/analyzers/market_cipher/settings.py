"""Settings of Market Cipher, and what each part of its scores weighs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave: float = Field(default=0.10, ge=0, le=1)
    money_flow: float = Field(default=0.10, ge=0, le=1)
    ribbon: float = Field(default=0.15, ge=0, le=1)
    strength: float = Field(default=0.15, ge=0, le=1)
    level: float = Field(default=0.10, ge=0, le=1)
    dot: float = Field(default=0.20, ge=0, le=1)
    divergence: float = Field(default=0.30, ge=0, le=1)
    divergence_weak: float = Field(default=0.15, ge=0, le=1)
    divergence_hidden: float = Field(default=0.15, ge=0, le=1)
    ema_cross: float = Field(default=0.10, ge=0, le=1)
    triangle: float = Field(default=0.05, ge=0, le=1)
    diamond: float = Field(default=0.05, ge=0, le=1)
    strong_diamond: float = Field(default=0.15, ge=0, le=1)
    gold_penalty: float = Field(default=0.50, ge=0, le=1)


class Settings(BaseModel):
    """
    Lengths count candles; levels are in units of the oscillator they belong to. Without
    `yellow_money_flow` (None) the yellow cross does not ask for money that flows out. Without
    `sommi_flag_minutes` the flag's higher timeframe is `sommi_flag_candles` of the frame's candles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave_channel_length: int = Field(default=9, ge=1)
    wave_average_length: int = Field(default=12, ge=1)
    wave_signal_length: int = Field(default=3, ge=1)
    wave_factor: float = Field(default=0.015, gt=0)
    money_flow_length: int = Field(default=60, ge=1)
    money_flow_multiplier: float = 150.0
    money_flow_offset: float = 2.5
    rsi_length: int = Field(default=14, ge=2)
    stoch_rsi_length: int = Field(default=14, ge=2)
    stoch_length: int = Field(default=14, ge=1)
    stoch_k_length: int = Field(default=3, ge=1)
    stoch_d_length: int = Field(default=3, ge=1)
    schaff_length: int = Field(default=10, ge=1)
    schaff_fast_length: int = Field(default=23, ge=1)
    schaff_slow_length: int = Field(default=50, ge=1)
    schaff_factor: float = Field(default=0.5, gt=0, le=1)
    oversold: float = -53.0
    overbought: float = 53.0

    fractal_side: int = Field(default=2, ge=1)
    divergence_bottom: float = -65.0
    divergence_top: float = 45.0
    divergence_weak_bottom: float = -40.0
    divergence_weak_top: float = 15.0
    rsi_divergence_bottom: float = 30.0
    rsi_divergence_top: float = 60.0
    gold_wave_level: float = -75.0
    gold_wave_rise: float = 5.0
    gold_rsi: float = 30.0

    sommi_flag_minutes: PositiveInt | None = None
    sommi_flag_candles: int = Field(default=3, ge=1)
    sommi_diamond_minutes: tuple[PositiveInt, PositiveInt] = (60, 240)

    ema_lengths: tuple[PositiveInt, ...] = Field(
        default=(5, 11, 15, 18, 21, 24, 28, 34), min_length=8, max_length=8
    )
    trend_wave_average_length: int = Field(default=13, ge=1)
    yellow_wave_low: float = -80.0
    yellow_wave_high: float = 45.0
    yellow_rsi_low: float = 15.0
    yellow_rsi_high: float = 30.0
    yellow_money_flow: float | None = -5.0
    yellow_down_wave_low: float = 55.0
    yellow_down_wave_high: float = 100.0
    yellow_down_rsi: float = 70.0

    pivot_side: int = Field(default=10, ge=1)
    level_window: int = Field(default=500, ge=2)
    level_merge_atr: float = Field(default=0.5, ge=0)
    atr_length: int = Field(default=14, ge=1)

    strength_level: float = 15.0
    level_touches: int = Field(default=2, ge=1)
    level_near_atr: float = Field(default=1.0, ge=0)
    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()
