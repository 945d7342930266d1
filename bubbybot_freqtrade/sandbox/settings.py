"""What a sandbox can be told. Everything has a default: `SandboxSettings()` starts as it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bubbybot_freqtrade.sandbox.readings import Readings

# Keys that every sandbox knows unless told otherwise. They open nothing but a server on this
# machine's loopback, so they may stand in documents and tests.
DEMO_API_KEY = "sandbox-api-key"
DEMO_SECRET = "sandbox-secret"  # noqa: S105
DEMO_PASSPHRASE = "sandbox-passphrase"  # noqa: S105
DEMO_UID = "1000001"

Permission = Literal["READ", "TRADE", "TRANSFER"]
PositionMode = Literal["net_mode", "long_short_mode"]
MarginMode = Literal["cross", "isolated"]


class ApiKey(BaseModel):
    """One API key of one account.

    `ips` empty means every address is let in. `broker_id`: None lets any brokerId pass, "" refuses
    orders that carry one (152011), anything else is required (152012) and must match (152013).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: str = DEMO_API_KEY
    secret: str = Field(default=DEMO_SECRET, repr=False)
    passphrase: str = Field(default=DEMO_PASSPHRASE, repr=False)
    uid: str = DEMO_UID
    name: str = "sandbox"
    permissions: frozenset[Permission] = frozenset({"READ", "TRADE"})
    ips: tuple[str, ...] = ()
    created_ms: int = 0
    expires_ms: int | None = None
    broker_id: str | None = None


class SandboxSettings(Readings):
    """Where the prices come from, what the account looks like, how the venue behaves.

    Market: `data` (a freqtrade data folder) or, without it, a generator started from `seed`.
    `pairs` are instrument ids such as BTC-USDT; None takes all that the folder has, or the first
    `pair_count` contracts of the generator's catalogue. The generator's candles reach
    `history_days` back from the start. `steps_per_minute` trades happen in each minute.
    Clock: `real` follows the wall clock, `driven` stands still until `Sandbox.advance`.
    `start_ms` is where a driven clock starts (a real one plays recorded candles from there on);
    None starts in the middle of the data, or at a fixed day with the generator.

    `past_days`: on each of so many past days a new account has held and left a position of the
    smallest size, so that its histories of orders, fills and funding have something in them.
    `multi_position`: the account is in Multi-Position mode, where a pair can have several positions
    of one side. How the venue behaves where no source settles it: `readings.QUESTIONS`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path | None = None
    seed: int = 7
    pairs: tuple[str, ...] | None = None
    pair_count: int = Field(default=6, ge=1)
    history_days: int = Field(default=400, ge=2)
    start_ms: int | None = None
    steps_per_minute: int = Field(default=4, ge=4)
    clock: Literal["real", "driven"] = "driven"
    port: int = Field(default=0, ge=0, le=65535)

    balance: Decimal = Field(default=Decimal(10_000), ge=0)
    past_days: int = Field(default=0, ge=0, le=365)
    position_mode: PositionMode = "net_mode"
    multi_position: bool = False
    margin_mode: MarginMode = "cross"
    leverage: Decimal = Field(default=Decimal(3), ge=1)
    keys: tuple[ApiKey, ...] = (ApiKey(),)
    taker_fee: Decimal = Decimal("0.0006")
    maker_fee: Decimal = Decimal("0.0002")

    rate_limits: bool = True
    latency_ms: int = Field(default=0, ge=0)
    request_log_size: int = Field(default=200_000, ge=1)
    state_file: Path | None = None
    state_interval_s: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _keys_are_distinct(self) -> SandboxSettings:
        names = [key.api_key for key in self.keys]
        if len(set(names)) != len(names):
            raise ValueError("keys: two entries have the same api_key; give each its own")
        return self

    @model_validator(mode="after")
    def _past_has_candles(self) -> SandboxSettings:
        if self.data is None and self.past_days >= self.history_days:
            raise ValueError(
                f"past_days: {self.past_days} days of trades need candles before them; "
                f"history_days is {self.history_days}"
            )
        return self
