"""The ``bubbybot: {…}`` block of freqtrade's config.

Every setting has the owner's rule as its bound: a config can be stricter than the rules, never
looser. What counts as full evidence is bounded too, or a score of 0.7 would mean nothing. A wrong
key or value stops the bot at start with one line that names the setting.
"""

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, Self

from freqtrade.exceptions import ConfigurationError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    model_validator,
)

# The owner's rules. They are the bounds of the settings below.
MIN_CONFIDENCE = 0.70
MIN_RISK = 0.02
MAX_RISK = 0.05
# Less risk than the rule's is stricter; below this, fees and steps of size are all that is left.
LEAST_RISK = 0.0025
MAX_MARGIN = 0.05
MIN_REWARD_RISK = 2.0
MAX_DAILY_LOSS = 0.10
VENUE_MAX_LEVERAGE = 150

SHIPPED_PRIOR = "shipped"
"""Name of the ledger's prior that the package brings."""

Timeframe = Literal["15m", "1h", "4h"]


class Settings(BaseModel):
    """What all blocks share: unknown keys are errors, values never change after start."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ConfluenceSettings(Settings):
    """How the analyzers' readings become one score per side (see `signals.confluence`)."""

    market_cipher: float = Field(default=0.35, ge=0, le=1, description="weight of Market Cipher")
    lux_algo: float = Field(default=0.35, ge=0, le=1, description="weight of Lux Algo")
    frankie_candles: float = Field(
        default=0.30, ge=0, le=1, description="weight of Frankie Candles"
    )
    window: int = Field(
        default=720,
        ge=12,
        le=960,
        description="hours of which the last close must be the highest (longs) or lowest (shorts)",
    )
    ribbon_room: float = Field(
        default=4.5,
        gt=0,
        le=20,
        description="typical 4h ranges that the price may be away from the 4h ribbon's slow line",
    )
    structure_room: float = Field(
        default=9.0,
        gt=0,
        le=40,
        description="typical 4h ranges that the price may be away from the 1h swing level behind",
    )
    value_room: float = Field(
        default=7.0,
        gt=0,
        le=30,
        description="typical 4h ranges that the 1h value area may be wide",
    )
    min_confidence: float = Field(
        default=MIN_CONFIDENCE, ge=MIN_CONFIDENCE, le=1, description="least score that is traded"
    )

    @model_validator(mode="after")
    def weights_add_up(self) -> Self:
        """The analyzers' weights are shares of one."""
        total = self.market_cipher + self.lux_algo + self.frankie_candles
        if abs(total - 1) > 1e-9:
            names = "market_cipher + lux_algo + frankie_candles"
            raise ValueError(f"{names} must add up to 1, they add up to {total:g}")
        return self


class RiskSettings(Settings):
    """Bounds of a trade plan. Shares are of account equity, distances of the entry price."""

    min_risk: float = Field(
        default=MIN_RISK, ge=LEAST_RISK, le=MAX_RISK, description="share at risk at min_confidence"
    )
    max_risk: float = Field(
        default=MAX_RISK, ge=LEAST_RISK, le=MAX_RISK, description="share at risk at confidence 1"
    )
    max_margin: float = Field(
        default=MAX_MARGIN, gt=0, le=MAX_MARGIN, description="most margin of one trade"
    )
    max_leverage: int = Field(
        default=50, ge=1, le=VENUE_MAX_LEVERAGE, description="the plan takes the least that fits"
    )
    min_reward_risk: float = Field(
        default=MIN_REWARD_RISK,
        ge=MIN_REWARD_RISK,
        description="least reward of a plan in R, after fees",
    )
    reward_risk: float = Field(
        default=3.0,
        ge=MIN_REWARD_RISK,
        description="reward of a plan in R, where the next level is no further",
    )
    min_stop: float = Field(default=0.015, gt=0, lt=1, description="nearest stop")
    max_stop: float = Field(default=0.15, gt=0, lt=1, description="furthest stop")
    stop_atrs: float = Field(
        default=5.0, ge=1, le=20, description="ATRs of 1h between entry and stop"
    )
    structure_atrs: float = Field(
        default=7.0,
        ge=1,
        le=20,
        description="a Lux level between stop_atrs and this takes the stop behind it",
    )
    stop_atr_margin: float = Field(
        default=0.25, ge=0, description="ATRs between such a level and the stop"
    )
    target_timeframes: tuple[Timeframe, ...] = Field(
        default=("1h", "4h"), min_length=1, description="whose levels can be the target"
    )
    liquidation_buffer: float = Field(
        default=0.25, ge=0.1, description="room between stop and liquidation, in stop distances"
    )
    mark_price_gap: float = Field(
        default=0.003, ge=0, lt=0.1, description="least room between stop and liquidation"
    )
    daily_loss: float = Field(
        default=MAX_DAILY_LOSS,
        gt=0,
        le=MAX_DAILY_LOSS,
        description="loss of a UTC day at which entries end",
    )
    flatten_on_daily_loss: bool = Field(
        default=True, description="close open trades at that loss too"
    )
    max_same_side: int = Field(
        default=1, ge=1, description="open longs, or shorts: the pairs fall and rise together"
    )

    @model_validator(mode="after")
    def bounds_are_ordered(self) -> Self:
        """Lower bounds lie below upper ones."""
        if self.min_risk > self.max_risk:
            raise ValueError(f"min_risk {self.min_risk} is above max_risk {self.max_risk}")
        if self.min_stop >= self.max_stop:
            raise ValueError(f"min_stop {self.min_stop} is not below max_stop {self.max_stop}")
        if self.reward_risk < self.min_reward_risk:
            raise ValueError(
                f"reward_risk {self.reward_risk} is below min_reward_risk {self.min_reward_risk}"
            )
        return self


class ExitSettings(Settings):
    """What moves the stop, and what closes a trade before stop or target."""

    break_even_at: float | None = Field(
        default=None, gt=0, description="profit in R at which the stop goes to entry plus costs"
    )
    trail_from: float | None = Field(
        default=None,
        gt=0,
        description="profit in R from which the stop follows the internal structure",
    )
    max_hours: float | None = Field(
        default=48.0, gt=0, description="a trade older than this is closed"
    )
    liquidation_near: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="share of the way from liquidation to entry that is too close",
    )
    volatility_shock: float = Field(
        default=8.0, gt=1, description="move of a candle in ATRs, against the trade"
    )
    extreme_funding: float = Field(
        default=0.003, gt=0, description="funding rate per period against the trade"
    )
    delisting_hours: float = Field(
        default=24.0, ge=0, description="leave this long before delisting"
    )


Channel = Literal["telegram", "discord", "webhook"]


class MessageSettings(Settings):
    """What the operator is told besides freqtrade's own messages."""

    price_move: float | None = Field(
        default=0.03, gt=0, description="move of a price within 15 minutes that is told"
    )
    price_moves: dict[str, PositiveFloat] = Field(
        default={}, description="the same for single pairs, by their names"
    )
    stale_minutes: float = Field(
        default=30.0, ge=20, description="age of the newest closed candle that is told"
    )
    patterns: Literal["daily", "weekly"] | None = Field(
        default="weekly",
        description="how often it is told what past trades say of the patterns (00:00 UTC)",
    )
    signals_only: bool = Field(
        default=False,
        description="tell each signal with its plan instead of trading it (backtests still trade)",
    )
    pictures: list[Channel] = Field(
        default=["telegram", "discord"],
        description="channels that get a chart of each plan after its words",
    )


class EdgeSettings(Settings):
    """The test of whether the strategy is still working (see `learning.edge`)."""

    act: bool = Field(
        default=True,
        description="trade the least risk while the edge is in doubt, enter nothing once it is "
        "gone; false only tells",
    )
    doubt_at: float = Field(
        default=2.0, gt=0, description="evidence against the edge at which it is in doubt"
    )
    gone_at: float = Field(
        default=4.0, gt=0, description="evidence at which it is settled that it is gone"
    )
    since: date | None = Field(
        default=None,
        description="only trades that closed from this day on count (UTC): a new start after a "
        "change of settings, or after the edge was given up",
    )

    @model_validator(mode="after")
    def doubt_comes_first(self) -> Self:
        """One doubts before one knows."""
        if self.doubt_at >= self.gone_at:
            raise ValueError(f"doubt_at {self.doubt_at:g} is not below gone_at {self.gone_at:g}")
        return self


class LearningSettings(Settings):
    """What past trades change about the next one (see `bubbybot_freqtrade.learning`)."""

    scale_risk: bool = Field(
        default=False,
        description="move the risk between min_risk and max_risk by how well a signal's patterns "
        "have paid",
    )
    veto: bool = Field(
        default=False,
        description="refuse a signal with a pattern whose mean R is below zero even at its "
        "interval's upper end",
    )
    half_life_days: float = Field(
        default=180.0, gt=0, description="age at which a trade counts half"
    )
    interval: float = Field(
        default=0.9, ge=0.5, lt=1, description="probability inside the intervals"
    )
    prior_trades: float = Field(
        default=8.0, ge=1, description="trades that the belief before any trade is worth"
    )
    prior: str | None = Field(
        default=SHIPPED_PRIOR,
        min_length=1,
        description="what this belief is read from: the trades that ship with the package, or a "
        "backtest result (zip); null makes it a fair game",
    )
    other_pairs: float = Field(
        default=0.5, ge=0, le=1, description="weight of a pattern's trades in other pairs"
    )
    other_regimes: float = Field(
        default=0.5, ge=0, le=1, description="weight of a pattern's trades in other regimes"
    )

    @property
    def is_used(self) -> bool:
        """Whether past trades change anything."""
        return self.scale_risk or self.veto


class ModelSettings(Settings):
    """What BubbyBotAI's model asks of a signal; nothing else reads it."""

    min_expected_r: float = Field(
        default=0.0, description="least R that the model expects of a signal that is traded"
    )
    candidate_confidence: float = Field(
        default=0.4,
        ge=0,
        le=MIN_CONFIDENCE,
        description="least score of the candles that the model learns from",
    )


class BubbyBotSettings(Settings):
    """The whole ``bubbybot`` block."""

    confluence: ConfluenceSettings = ConfluenceSettings()
    risk: RiskSettings = RiskSettings()
    exits: ExitSettings = ExitSettings()
    learning: LearningSettings = LearningSettings()
    edge: EdgeSettings = EdgeSettings()
    messages: MessageSettings = MessageSettings()
    model: ModelSettings = ModelSettings()
    entry_order: Literal["limit", "market"] = Field(
        default="market", description="order type of entries"
    )
    chart_panels: Literal["main", "all"] = Field(
        default="main",
        description="what FreqUI draws: ribbon, support and resistance on the price, below it "
        "confluence, wave trend and money flow; or everything the analyzers have, which keeps all "
        "their columns and those of 1h and 4h",
    )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the block from freqtrade's config.

        :raises ConfigurationError: one line naming the first wrong setting and what is allowed.
        """
        try:
            return cls.model_validate(config.get("bubbybot", {}))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            name = ".".join(["bubbybot", *map(str, first["loc"])])
            wrong = first["msg"]
            if first["type"] == "extra_forbidden":
                wrong = _no_such_setting(cls, [str(part) for part in first["loc"]])
            more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
            raise ConfigurationError(
                f"Config setting {name} = {first['input']!r}: {wrong}{more}."
            ) from None


def _no_such_setting(block: Any, path: list[str]) -> str:
    """What is wrong with a name that no block has, and which one was probably meant."""
    for name in path[:-1]:
        block = block.model_fields[name].annotation
    meant = get_close_matches(path[-1], block.model_fields, n=1)
    return "there is no such setting" + (f", did you mean {meant[0]}?" if meant else "")
