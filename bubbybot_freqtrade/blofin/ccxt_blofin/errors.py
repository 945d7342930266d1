"""BloFin's verdicts as ccxt exceptions, with a sentence on what to do where the user can do it.

The venue answers HTTP 200 to nearly everything: the verdict is ``code`` in the body and, for
orders, once more in each row of ``data``. Codes: the reference's table (``_includes/errors.md``),
and the ones ccxt's own class lists from live accounts.
"""

import re
from collections.abc import Callable
from typing import Any, NoReturn

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.redirects import refuse_redirect
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import check_answer


class TooManyRequests(ccxt.RateLimitExceeded, ccxt.DDoSProtection):
    """The venue's request limit was hit; it answers nothing more for minutes.

    ccxt's ``RateLimitExceeded`` by meaning, and a ``DDoSProtection`` as well because that is the
    one callers such as freqtrade back off on; an immediate retry prolongs the ban.
    """


EXACT: dict[str, type[ccxt.BaseError]] = {
    "400": ccxt.BadRequest,
    "401": ccxt.AuthenticationError,
    "403": ccxt.DDoSProtection,
    "404": ccxt.BadRequest,
    "405": ccxt.BadRequest,
    "406": ccxt.BadRequest,
    "429": TooManyRequests,
    "500": ccxt.ExchangeNotAvailable,
    "542": ccxt.InvalidOrder,
    "1": ccxt.ExchangeError,
    "2": ccxt.ExchangeError,
    "1000": ccxt.OrderNotFound,
    "80001": ccxt.BadRequest,
    "80006": ccxt.BadRequest,
    "102002": ccxt.DuplicateOrderId,
    "102005": ccxt.InvalidOrder,
    "102014": ccxt.InvalidOrder,
    "102015": ccxt.InvalidOrder,
    # Not in the reference (seen): a price off the tick or a size off the lot.
    "102016": ccxt.InvalidOrder,
    "102022": ccxt.InvalidOrder,
    **{str(code): ccxt.InvalidOrder for code in range(102037, 102041)},
    **{str(code): ccxt.InvalidOrder for code in range(102047, 102056)},
    "102064": ccxt.InvalidOrder,
    "102065": ccxt.InvalidOrder,
    "102067": ccxt.OrderNotFound,
    "102068": ccxt.OrderNotFound,
    "102089": ccxt.InvalidOrder,
    # Not in the reference (seen): the position has a TP/SL for its whole size already.
    "102114": ccxt.OperationRejected,
    "102148": ccxt.DuplicateOrderId,
    "103003": ccxt.InsufficientFunds,
    "103013": ccxt.ExchangeNotAvailable,
    "110006": ccxt.OperationRejected,
    "110019": ccxt.OperationRejected,
    "150003": ccxt.DuplicateOrderId,
    "150004": ccxt.InsufficientFunds,
    "152001": ccxt.BadRequest,
    "152002": ccxt.BadRequest,
    "152003": ccxt.BadRequest,
    "152004": ccxt.BadRequest,
    "152005": ccxt.BadRequest,
    "152006": ccxt.InvalidOrder,
    "152007": ccxt.InvalidOrder,
    "152008": ccxt.InvalidOrder,
    "152009": ccxt.InvalidOrder,
    "152011": ccxt.PermissionDenied,
    "152012": ccxt.PermissionDenied,
    "152013": ccxt.PermissionDenied,
    "152014": ccxt.BadSymbol,
    "152015": ccxt.BadRequest,
    "152401": ccxt.AuthenticationError,
    "152402": ccxt.AuthenticationError,
    "152404": ccxt.PermissionDenied,
    "152405": ccxt.InvalidNonce,
    "152406": ccxt.PermissionDenied,
    "152407": ccxt.InvalidNonce,
    "152408": ccxt.AuthenticationError,
    "152409": ccxt.AuthenticationError,
    "152410": ccxt.InvalidNonce,
}

# The websocket's own codes (login and subscription); anything else there is an ExchangeError.
WEBSOCKET_EXACT: dict[str, type[ccxt.BaseError]] = {
    "60009": ccxt.AuthenticationError,
    "60012": ccxt.BadRequest,
}

# Refused cancels come back under codes that mean something else elsewhere (500, 1000), so for
# orders the sentence decides before the number does.
BROAD: dict[str, type[ccxt.BaseError]] = {
    "or does not exist": ccxt.OrderNotFound,
    "order does not exist": ccxt.OrderNotFound,
    "order not found": ccxt.OrderNotFound,
    "has been canceled": ccxt.OrderNotFound,
}

HINTS: dict[str, str] = {
    "1": "Nothing was carried out.",
    "403": "VPN exits and blocked regions get this answer too, not only too many requests.",
    "429": "Send fewer requests: 500 a minute and 1500 in 5 minutes per IP address, "
    "30 trading requests in 10 seconds per account. The venue stays shut for minutes now.",
    "102089": "The account's position mode (one-way or hedge) is not the one the order was sent "
    "for; make the two agree.",
    "102114": "Move or cancel the existing TP/SL of the whole position instead of adding one.",
    "110006": "Cancel the open cross orders of this pair first.",
    "110019": "Cancel open orders and close positions first; the mode cannot change before.",
    "152011": "This API key belongs to no broker: leave the option 'brokerId' empty.",
    "152012": "This API key was made for a broker: set the option 'brokerId' to that broker's id, "
    "or create a key that is not connected to a third party.",
    "152013": "The option 'brokerId' is not the broker this API key is bound to: correct it, or "
    "leave it empty for a key of your own.",
    "152401": "Check the API key for typing errors, and that it was made on this side: keys of the "
    "demo account do not work on the live venue, nor the other way round.",
    "152402": "Create a new API key on BloFin and put it into the configuration; keys without an "
    "IP list expire after 90 days.",
    "152404": "Give the API key the missing permission on BloFin (a bot needs READ and TRADE).",
    "152405": "This machine's clock is more than 60 seconds off: synchronise it (NTP).",
    "152406": "Add this machine's public IP address to the API key's IP list on BloFin.",
    "152407": "The same nonce was used twice within 60 seconds; the next request has a new one.",
    "152408": "The passphrase ('password' in the configuration) is not the one chosen when this "
    "API key was created.",
    "152409": "The API secret does not belong to this API key; copy it again.",
    "152410": "This machine's clock is wrong: synchronise it (NTP).",
    "60009": "Check API key, secret and passphrase.",
}

_FIREWALL = (
    "its firewall refused the request (HTTP 403). Either there were too many from this address: "
    "that lasts about five minutes, and longer with every further one. Or BloFin does not serve "
    "this address: VPN exits and blocked regions get the same answer, for good."
)
_EXCERPT = 200

# Endpoints that place or change an order.
_ORDERS = re.compile(r"/trade/(order|order-tpsl|order-algo|amend-tpsl|batch-orders)(\?|$)")
_CODE = re.compile(r"-?[0-9]+")
_NO_SUCH_PATH = ("404", "405", "152404")


class Errors:
    """Turns answers into exceptions; mixed into the ccxt classes."""

    id: str
    measure_time_difference: Callable[[Any, Any], None]
    exceptions: dict[str, dict[str, type[ccxt.BaseError]]]
    httpExceptions: dict[str, type[ccxt.BaseError]]  # noqa: N815 - ccxt's name

    def handle_errors(
        self,
        http_code: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        request_headers: Any,
        request_body: Any,
    ) -> None:
        """Raise what the venue's answer means, or return when it is a success.

        A batch of which a part succeeded is a success here: its rows carry their own verdicts.
        """
        if 300 <= http_code < 400:
            refuse_redirect(self.id, http_code, url, headers)
        if not isinstance(response, dict) or http_code >= 500:
            # Whatever a gateway says in JSON, the order behind it may have been carried out.
            self.refuse_page(http_code, reason, url, body)
        self.measure_time_difference(headers, request_headers)
        if response.get("code") is None:
            if http_code in (403, 429):
                self.refuse_page(http_code, reason, url, body)
            if http_code >= 400:
                return  # ccxt's table of HTTP statuses decides
            raise ccxt.BadResponse(f"{self.id}: an answer without a code: {body[:_EXCERPT]}")
        code = str(response["code"])
        rows = _rows(response.get("data"))
        if not all(map(_CODE.fullmatch, (code, *(str(row.get("code") or "0") for row in rows)))):
            # No verdict: what became of an order is looked up, as after a lost answer.
            raise ccxt.BadResponse(f"{self.id}: an answer whose code is none: {body[:_EXCERPT]}")
        refused = [row for row in rows if _is_refused(row)]
        if code in ("0", "1", "2"):
            if refused and len(refused) == len(rows):
                self.refuse(str(refused[0]["code"]), refused[0].get("msg"), body, url)
            if code != "1":
                check_answer(self.id, method, url, response.get("data"))
                return
        self.refuse(code, response.get("msg"), body, url)

    def refuse(self, code: str, message: Any, body: str = "", url: str = "") -> NoReturn:
        """Raise the exception for a venue code, its message and our hint in one line.

        The exception has the code as its attribute ``code`` too.
        """
        text = str(message or "").strip() or body[:_EXCERPT]
        # A side that the account's position mode doesn't have is refused under several numbers.
        hint = HINTS["102089"] if "positionside" in text.lower() else HINTS.get(code)
        line = f"{self.id} {code}: {text}" + (f" - {hint}" if hint else "")
        kind = self.error_class(code, text)
        if _ORDERS.search(url) and code not in _NO_SUCH_PATH:
            kind = _refused_order(kind, is_tpsl="tpsl" in url)
        error = kind(line)
        error.code = code
        raise error

    def error_class(self, code: str, message: str) -> type[ccxt.BaseError]:
        """The ccxt exception for a venue code and its message."""
        lowered = message.lower()
        for part, error in BROAD.items():
            if part in lowered:
                return error
        for part, error in self.exceptions["broad"].items():
            if part in message:
                return error
        exact = self.exceptions["exact"]
        return exact.get(code) or exact.get(message, ccxt.ExchangeError)

    def refuse_page(self, http_code: int, reason: str, url: str, body: str) -> NoReturn:
        """Raise for an answer that is not the API's: a firewall's or a proxy's page."""
        if http_code == 403:
            raise ccxt.DDoSProtection(f"{self.id}: {_FIREWALL}")
        if http_code == 429:
            raise TooManyRequests(f"{self.id} 429: {reason} - {HINTS['429']}")
        error = self.httpExceptions.get(str(http_code), ccxt.ExchangeNotAvailable)
        text = " ".join(re.sub(r"<[^>]*>", " ", body or "").split())[:_EXCERPT]
        raise error(
            f"{self.id}: no answer of the API but HTTP {http_code} {reason}: {text} ({url})"
        )


def _refused_order(kind: type[ccxt.BaseError], *, is_tpsl: bool) -> type[ccxt.BaseError]:
    """The exception for a new or changed order that was refused as `kind`.

    Whatever the number, an order that the venue doesn't take is an ``InvalidOrder``: whoever waits
    for a better answer waits for ever. Not the venue's transport and limits, the key or the clock.
    A TP/SL reserves nothing, so that no funds can be missing for it.
    """
    of_account = (ccxt.AuthenticationError, ccxt.InvalidOrder)
    if not issubclass(kind, ccxt.ExchangeError) or issubclass(kind, of_account):
        return kind
    if issubclass(kind, ccxt.InsufficientFunds) and not is_tpsl:
        return kind
    return ccxt.InvalidOrder


def _rows(data: Any) -> list[dict[str, Any]]:
    """The verdicts inside ``data``: a list for most orders, one object for TP/SL and trigger."""
    if isinstance(data, dict):
        return [data]
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def _is_refused(row: dict[str, Any]) -> bool:
    return str(row.get("code") or "0") != "0"
