"""An owner who trades on a sandbox by hand, and markets whose prices the test writes down."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from bubbybot_freqtrade.sandbox import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    DEMO_UID,
    Sandbox,
)
from bubbybot_freqtrade.sandbox.cli import ccxt_urls

MINUTE = 60_000
START = 1_746_403_200_000  # 2025-05-05 00:00 UTC
HISTORY_MINUTES = 30

Minute = tuple[float, float, float, float]
Course = list[Minute]
"""Open, high, low and close of the minutes from START on."""

API = "/api/v1"


def flat(price: float, minutes: int = 1) -> Course:
    """A price that stands still."""
    return [(price, price, price, price)] * minutes


class Owner:
    """The account's owner with the venue's app in hand: the API's bodies, no keys, no limits."""

    def __init__(self, sandbox: Sandbox, uid: str = DEMO_UID) -> None:
        self.sandbox = sandbox
        self.uid = uid

    def post(self, path: str, body: Any = None, **fields: Any) -> dict[str, Any]:
        return self.sandbox.app(f"{API}/{path}", fields or body, uid=self.uid)

    def get(self, path: str, **fields: Any) -> Any:
        answer = self.sandbox.app(f"{API}/{path}", fields, uid=self.uid, method="GET")
        assert answer["code"] == "0", answer
        return answer["data"]

    def order(
        self, side: str, size: Any, inst_id: str = "BTC-USDT", **fields: Any
    ) -> dict[str, Any]:
        """Place an order; market unless `price` is given. The row of the answer's data."""
        body = {
            "instId": inst_id,
            "marginMode": "isolated",
            "side": side,
            "orderType": "limit" if "price" in fields else "market",
            "size": str(size),
            **fields,
        }
        answer = self.post("trade/order", body)
        return answer["data"][0] if "data" in answer else answer

    def tpsl(
        self, side: str, size: Any, inst_id: str = "BTC-USDT", **fields: Any
    ) -> dict[str, Any]:
        body = {"instId": inst_id, "marginMode": "isolated", "side": side, "size": str(size)}
        answer = self.post("trade/order-tpsl", {**body, "reduceOnly": "true", **fields})
        return answer.get("data", answer)

    def detail(self, order_id: str, inst_id: str = "BTC-USDT") -> dict[str, Any]:
        return self.get("trade/order-detail", instId=inst_id, orderId=order_id)

    def positions(self) -> list[dict[str, Any]]:
        return self.get("account/positions")

    def live_tpsl(self) -> list[dict[str, Any]]:
        return self.get("trade/orders-tpsl-pending")

    def history(self) -> list[dict[str, Any]]:
        return self.get("trade/orders-history", limit="100")

    @property
    def wallet(self) -> Decimal:
        return self.sandbox.ledger(self.uid).balance

    def play(self, minutes: float) -> None:
        """Let the market run."""
        self.sandbox.advance(self.sandbox.clock.now_ms() + int(minutes * MINUTE))


def write_course(folder: Path, inst_id: str, course: Course, volume: float) -> None:
    """Minutes as freqtrade keeps them, after half an hour at the first price."""
    rows = flat(course[0][0], HISTORY_MINUTES) + course
    dates = START - HISTORY_MINUTES * MINUTE + MINUTE * pd.Series(range(len(rows)))
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
    frame.insert(0, "date", pd.to_datetime(dates, unit="ms", utc=True))
    frame["volume"] = float(volume)
    base, quote = inst_id.split("-")
    frame.to_feather(folder / f"{base}_{quote}_{quote}-1m-futures.feather")


def follow_clock(client: Any, sandbox: Sandbox) -> Any:
    """Make a ccxt client live at the venue's time; each call a ms later, as it is its nonce."""
    last = [0]

    def milliseconds() -> int:
        last[0] = max(last[0] + 1, sandbox.clock.now_ms())
        return last[0]

    client.milliseconds = milliseconds
    return client


def ccxt_settings(sandbox: Sandbox) -> dict[str, Any]:
    """What a ccxt client is made with to trade on this sandbox."""
    return {
        "apiKey": DEMO_API_KEY,
        "secret": DEMO_SECRET,
        "password": DEMO_PASSPHRASE,
        "enableRateLimit": False,
        "urls": ccxt_urls(sandbox),
    }
