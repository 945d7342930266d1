"""What no venue offers: moving its clock, looking into its books, switching faults on.

The same things can be done from Python on `Sandbox`; these paths serve a sandbox that runs in
another process. They answer `{"data": ...}`, or HTTP 400 with `{"error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.api.rest import PRIVATE, Request, Response
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults
from bubbybot_freqtrade.sandbox.market.bars import BARS
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, ApiKey
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.instrument_change import LATEST_MS, InstrumentChange

if TYPE_CHECKING:
    from bubbybot_freqtrade.sandbox.server import Sandbox

PREFIX = "/sandbox/"
APP_PREFIX = "/sandbox/app"
HOST = "127.0.0.1"
LOCAL_HOSTS = (HOST, "localhost")


class ControlError(ValueError):
    """A control request that makes no sense; the message says what to change."""


class _Asked(BaseModel):
    """Parameters of a control, from a JSON body or a query."""

    model_config = ConfigDict(extra="forbid")


class _Nothing(_Asked):
    pass


class _ClockSetting(_Asked):
    now: int = Field(ge=0, le=LATEST_MS)


class _StreamsSetting(StreamFaults):
    drop: bool = False


class _InstrumentSetting(InstrumentChange):
    inst_id: str


class _BanSetting(_Asked):
    for_ms: int = Field(ge=0, le=LATEST_MS)


class _FillSetting(_Asked):
    order_id: str
    size: Decimal | None = Field(default=None, gt=0)
    uid: str = DEMO_UID


class _User(_Asked):
    uid: str = DEMO_UID


class _Chosen(_Asked):
    path: str | None = None
    method: str | None = None
    uid: str | None = None
    since: int | None = None
    until: int | None = None


class _FaultName(_Asked):
    id: str | None = None


class _KeyName(_Asked):
    apiKey: str  # noqa: N815 - as the venue spells it


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
            ("DELETE", "requests"): _bare(sandbox.requests.clear),
            ("GET", "faults"): _bare(sandbox.faults.hits),
            ("POST", "faults"): lambda body: sandbox.faults.add(Fault(**body)),
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "candle-faults"): self._add_candle_fault,
            ("DELETE", "candle-faults"): _bare(sandbox.feed.faults.clear),
            ("POST", "streams"): self._set_streams,
            ("POST", "instruments"): self._change_instrument,
            ("POST", "fills"): self._fill,
            ("POST", "keys"): lambda body: sandbox.engine.add_key(ApiKey(**body)),
            ("DELETE", "keys"): self._revoke_key,
            ("POST", "bans"): lambda body: sandbox.ban(_BanSetting(**body).for_ms),
            ("DELETE", "bans"): _bare(sandbox.lift_bans),
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
            return _response(200, {"data": act(_object(asked))})
        except ValidationError as error:
            return _response(400, {"error": _in_one_line(error)})
        except (ControlError, VenueError, orjson.JSONDecodeError) as error:
            return _response(400, {"error": str(error)})

    def _control(self, request: Request) -> Callable[[Any], Any]:
        act = self._paths.get((request.method, request.path.removeprefix(PREFIX)))
        if act is None:
            known = ", ".join(f"{method} {PREFIX}{name}" for method, name in self._paths)
            raise ControlError(f"no such control; there are {known}")
        return act

    @staticmethod
    def _refuse_browsers(request: Request) -> None:
        """A web page must not play with the sandbox of whoever visits it."""
        if request.headers.get("Origin") or not is_of_this_machine(request.headers):
            raise ControlError("controls are for programs on this machine, at 127.0.0.1")

    def _app(self, request: Request, body: Any) -> Response:
        """Do by hand what the account's owner does in the venue's app."""
        uid = self._user(dict(parse_qsl(request.query)))
        path = request.path.removeprefix(APP_PREFIX)
        if request.method != "POST" or path not in PRIVATE["POST"]:
            raise ControlError(f"the app cannot {request.method} {path}; POST a path of the API")
        return _response(200, self.sandbox.app(path, body, uid=uid))

    def _user(self, query: Mapping[str, str]) -> str:
        uid = _User(**query).uid
        if uid not in self.sandbox.engine.venue.accounts:
            raise ControlError(f"there is no user {uid!r}")
        return uid

    def _clock(self, query: Mapping[str, str]) -> Any:
        _Nothing(**query)
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
        uid = self._user(query)
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
        asked = _Chosen.model_validate(query)
        chosen = self.sandbox.requests.select(
            path=asked.path,
            method=asked.method,
            uid=asked.uid,
            since_ms=asked.since,
            until_ms=asked.until,
        )
        return [asdict(entry) for entry in chosen]

    def _remove_faults(self, query: Mapping[str, str]) -> None:
        name = _FaultName(**query).id
        if name is None:
            self.sandbox.faults.clear()
            return
        try:
            self.sandbox.faults.remove(name)
        except KeyError:
            raise ControlError(f"fault {name!r} is not on") from None

    def _add_candle_fault(self, body: dict[str, Any]) -> None:
        fault = CandleFault(**body)
        self.sandbox.engine.venue.instrument(fault.inst_id)
        if fault.bar not in BARS:
            raise ControlError(f"there is no bar {fault.bar!r}; there are {', '.join(BARS)}")
        self.sandbox.feed.faults.append(fault)

    def _set_streams(self, body: dict[str, Any]) -> None:
        setting = _StreamsSetting(**body)
        self.sandbox.streams.faults = StreamFaults(**setting.model_dump(exclude={"drop"}))
        if setting.drop:
            self.sandbox.streams.drop()

    def _change_instrument(self, body: dict[str, Any]) -> None:
        setting = _InstrumentSetting(**body)
        changes = setting.model_dump(exclude={"inst_id"}, exclude_none=True)
        if not changes:
            fields = ", ".join(InstrumentChange.model_fields)
            raise ControlError(f"nothing changes; name one of {fields}")
        self.sandbox.change_instrument(setting.inst_id, **changes)

    def _fill(self, body: dict[str, Any]) -> None:
        setting = _FillSetting(**body)
        try:
            self.sandbox.fill(setting.order_id, setting.size, uid=setting.uid)
        except KeyError as error:
            raise ControlError(f"there is no order or user {error}") from None

    def _revoke_key(self, query: Mapping[str, str]) -> None:
        api_key = _KeyName(**query).apiKey
        try:
            self.sandbox.engine.revoke_key(api_key)
        except KeyError:
            raise ControlError(f"there is no key {api_key!r}") from None


def _bare(act: Callable[[], Any]) -> Callable[[Mapping[str, str]], Any]:
    """A control that is told nothing."""

    def control(query: Mapping[str, str]) -> Any:
        _Nothing(**query)
        return act()

    return control


def _object(asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise ControlError("the body has to be a JSON object")
    return asked


def _in_one_line(error: ValidationError) -> str:
    """What pydantic finds wrong: each field and why."""
    faults = error.errors(include_url=False, include_context=False)
    told = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'body'}: {f['msg']}" for f in faults)
    # Also when a field's name has line breaks.
    return " ".join(told.split())


def is_of_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether host and origin, where a browser names one, are this machine's."""
    try:
        host = urlsplit(f"//{headers.get('Host', '')}").hostname
        origin = urlsplit(headers.get("Origin") or f"//{HOST}").hostname
    except ValueError:
        # Brackets without an address in them.
        return False
    return host in LOCAL_HOSTS and origin in LOCAL_HOSTS


def _response(status: int, body: Any) -> Response:
    return Response(status, orjson.dumps(body, default=str), str(status))
