"""What no venue offers: moving its clock, looking into its books, switching faults on.

The same things can be done from Python on `Sandbox`; these paths serve a sandbox that runs in
another process. They answer `{"data": ...}`, or HTTP 400 with `{"error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.api.rest import Request, Response
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, ApiKey
from bubbybot_freqtrade.sandbox.venue.errors import VenueError

if TYPE_CHECKING:
    from bubbybot_freqtrade.sandbox.server import Sandbox

PREFIX = "/sandbox/"
APP_PREFIX = "/sandbox/app"


class ControlError(ValueError):
    """A control request that makes no sense; the message says what to change."""


class _ClockSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    now: int


class _StreamsSetting(StreamFaults):
    drop: bool = False


class _InstrumentSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inst_id: str
    state: Literal["live", "suspend"] | None = None
    expire_time: int | None = None


class _BanSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    for_ms: int


class _FillSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    order_id: str
    size: Decimal | None = None
    uid: str = DEMO_UID


class Controls:
    """The control paths of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Acts on `sandbox`."""
        self.sandbox = sandbox
        self._paths: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "ledger"): self._ledger,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): lambda query: sandbox.requests.clear(),
            ("GET", "faults"): lambda query: sandbox.faults.hits(),
            ("POST", "faults"): lambda body: sandbox.faults.add(Fault(**body)),
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "candle-faults"): self._add_candle_fault,
            ("DELETE", "candle-faults"): lambda query: sandbox.feed.faults.clear(),
            ("POST", "streams"): self._set_streams,
            ("POST", "instruments"): self._change_instrument,
            ("POST", "fills"): self._fill,
            ("POST", "keys"): lambda body: sandbox.engine.add_key(ApiKey(**body)),
            ("DELETE", "keys"): self._revoke_key,
            ("POST", "bans"): lambda body: sandbox.ban(_BanSetting(**body).for_ms),
            ("DELETE", "bans"): lambda query: sandbox.lift_bans(),
        }

    def answer(self, request: Request) -> Response:
        """Serve a request below /sandbox/."""
        try:
            self._refuse_browsers(request)
            body = orjson.loads(request.body) if request.body else {}
            if request.path.startswith(APP_PREFIX + "/"):
                return self._app(request, body)
            act = self._control(request)
            asked = body if request.method == "POST" else dict(parse_qsl(request.query))
            data = act(asked)
        except (ControlError, ValidationError, orjson.JSONDecodeError, TypeError) as error:
            return _response(400, {"error": str(error)})
        except VenueError as error:
            return _response(400, {"error": str(error)})
        return _response(200, {"data": data})

    def _control(self, request: Request) -> Callable[[Any], Any]:
        act = self._paths.get((request.method, request.path.removeprefix(PREFIX)))
        if act is None:
            known = ", ".join(f"{method} {PREFIX}{name}" for method, name in self._paths)
            raise ControlError(f"no such control; there are {known}")
        return act

    @staticmethod
    def _refuse_browsers(request: Request) -> None:
        """A web page must not play with the sandbox of whoever visits it."""
        host = request.headers.get("Host", "").rpartition(":")[0]
        if request.headers.get("Origin") or host not in ("127.0.0.1", "localhost"):
            raise ControlError("controls are for programs on this machine, at 127.0.0.1")

    def _app(self, request: Request, body: Any) -> Response:
        """Do by hand what the account's owner does in the venue's app."""
        uid = dict(parse_qsl(request.query)).get("uid", DEMO_UID)
        path = request.path.removeprefix(APP_PREFIX)
        return _response(200, self.sandbox.app(path, body, uid=uid))

    def _clock(self, query: Mapping[str, str]) -> Any:
        return {"now": self.sandbox.clock.now_ms(), "driven": self.sandbox.is_driven}

    def _set_clock(self, body: dict[str, Any]) -> Any:
        if not self.sandbox.is_driven:
            raise ControlError("the clock is real; start the sandbox with a driven one to move it")
        now, present = _ClockSetting(**body).now, self.sandbox.clock.now_ms()
        if now < present:
            raise ControlError(f"the clock stands at {present} and cannot go back to {now}")
        self.sandbox.advance(now)
        return {"now": now, "driven": True}

    def _ledger(self, query: Mapping[str, str]) -> Any:
        uid = query.get("uid", DEMO_UID)
        with self.sandbox.engine.exclusive():
            ledger = self.sandbox.ledger(uid)
            return {
                "balance": str(ledger.balance),
                "totals": {kind: str(amount) for kind, amount in ledger.totals().items()},
                "entries": [
                    {**asdict(entry), "amount": str(entry.amount), "balance": str(entry.balance)}
                    for entry in ledger.entries
                ],
            }

    def _requests(self, query: Mapping[str, str]) -> Any:
        since, until = query.get("since"), query.get("until")
        chosen = self.sandbox.requests.select(
            path=query.get("path"),
            method=query.get("method"),
            uid=query.get("uid"),
            since_ms=None if since is None else int(since),
            until_ms=None if until is None else int(until),
        )
        return [asdict(entry) for entry in chosen]

    def _remove_faults(self, query: Mapping[str, str]) -> None:
        if "id" not in query:
            self.sandbox.faults.clear()
            return
        try:
            self.sandbox.faults.remove(query["id"])
        except KeyError:
            raise ControlError(f"fault {query['id']!r} is not on") from None

    def _add_candle_fault(self, body: dict[str, Any]) -> None:
        self.sandbox.feed.faults.append(CandleFault(**body))

    def _set_streams(self, body: dict[str, Any]) -> None:
        setting = _StreamsSetting(**body)
        self.sandbox.streams.faults = StreamFaults(**setting.model_dump(exclude={"drop"}))
        if setting.drop:
            self.sandbox.streams.drop()

    def _change_instrument(self, body: dict[str, Any]) -> None:
        setting = _InstrumentSetting(**body)
        self.sandbox.change_instrument(
            setting.inst_id, state=setting.state, expire_time=setting.expire_time
        )

    def _fill(self, body: dict[str, Any]) -> None:
        setting = _FillSetting(**body)
        try:
            self.sandbox.fill(setting.order_id, setting.size, uid=setting.uid)
        except KeyError as error:
            raise ControlError(f"there is no order or user {error}") from None

    def _revoke_key(self, query: Mapping[str, str]) -> None:
        api_key = query.get("apiKey", "")
        try:
            self.sandbox.engine.revoke_key(api_key)
        except KeyError:
            raise ControlError(f"there is no key {api_key!r}") from None


def _response(status: int, body: Any) -> Response:
    return Response(status, orjson.dumps(body, default=str), str(status))
