"""The venue's verdicts become the exceptions ccxt's users expect, wherever they stand."""

import ccxt
import pytest

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinSync

BTC = "BTC/USDT:USDT"

# Every code of the reference's error table, with the exception its sentence calls for.
BY_CODE = {
    ccxt.BadRequest: [
        *("400", "404", "405", "406", "80001", "80006"),
        *("152001", "152002", "152003", "152004", "152005", "152015"),
    ],
    ccxt.BadSymbol: ["152014"],
    ccxt.AuthenticationError: ["401", "152401", "152402", "152408", "152409"],
    ccxt.PermissionDenied: ["152404", "152406", "152011", "152012", "152013"],
    ccxt.InvalidNonce: ["152405", "152407", "152410"],
    ccxt.ExchangeNotAvailable: ["500", "103013"],
    ccxt.RateLimitExceeded: ["429"],
    ccxt.DDoSProtection: ["429"],
    ccxt.InsufficientFunds: ["103003", "150004"],
    ccxt.DuplicateOrderId: ["102002", "150003", "102148"],
    ccxt.OrderNotFound: ["1000", "102068", "102067"],
    ccxt.OperationRejected: ["110006", "110019", "102114"],
    ccxt.InvalidOrder: [
        *("542", "102005", "102014", "102015", "102022"),
        *("102037", "102038", "102039", "102040"),
        *("102047", "102048", "102049", "102050", "102051"),
        *("102052", "102053", "102054", "102055"),
        *("102064", "102065", "102089", "152006", "152007", "152008", "152009"),
    ],
    ccxt.ExchangeError: ["1", "2", "999999"],
}
CASES = [(code, error) for error, codes in BY_CODE.items() for code in codes]


@pytest.mark.parametrize(("code", "error"), CASES)
def test_each_code_has_its_exception(mine, venue, code, error):
    refused = {"instId": "BTC-USDT", "code": code, "msg": "a sentence"}
    venue.refuse(
        "account/set-leverage", code, "a sentence", [refused] if code in ("1", "2") else None
    )
    with pytest.raises(error, match=f"blofin {code}: a sentence") as raised:
        mine.set_leverage(5, BTC)
    assert raised.value.code == code


def place_and_move(exchange):
    """Every way to place or change an order, with the path of its request."""
    stop = {"stopLossPrice": 58000}
    yield "trade/order", lambda: exchange.create_order(BTC, "market", "buy", 1)
    yield "trade/order-tpsl", lambda: exchange.create_order(BTC, "market", "sell", 1, None, stop)
    yield (
        "trade/order-algo",
        lambda: exchange.create_order(BTC, "market", "sell", 1, None, {"triggerPrice": 58000}),
    )
    yield "trade/amend-tpsl", lambda: exchange.edit_tpsl_order("7", BTC, 58500)


# What says nothing about the order: the venue's transport and limits, the key, the clock, the path.
_OF_NO_ORDER = (ccxt.OperationFailed, ccxt.AuthenticationError)


@pytest.mark.parametrize(("code", "error"), [*CASES, ("102016", ccxt.InvalidOrder)])
def test_an_order_that_is_refused_is_invalid_whatever_the_number(blofin, venue, code, error):
    for path, send in place_and_move(blofin):
        refused = {"orderId": None, "clientOrderId": None, "code": code, "msg": "a sentence"}
        venue.refuse(path, code, "a sentence", [refused] if code in ("1", "2") else None)
        expected = ccxt.InvalidOrder
        if issubclass(error, _OF_NO_ORDER) or code in ("404", "405"):
            expected = error
        if error is ccxt.InsufficientFunds and "tpsl" not in path:
            expected = error
        with pytest.raises(expected, match=f"blofin {code}: a sentence") as raised:
            send()
        assert raised.value.code == code


@pytest.mark.parametrize("error", [ccxt.InvalidOrder, ccxt.OrderNotFound])
def test_invalid_order_is_not_order_not_found(error):
    codes = {code for code, kind in CASES if kind is ccxt.InvalidOrder}
    assert not codes & set(BY_CODE[ccxt.OrderNotFound])


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [
        ("152406", "IP address to the API key's IP list"),
        ("152402", "Create a new API key"),
        ("152408", "passphrase"),
        ("152409", "secret"),
        ("152405", "clock"),
        ("152404", "READ and TRADE"),
        ("152401", "demo"),
        ("152011", "'brokerId' empty"),
        ("152012", "set the option 'brokerId'"),
        ("152013", "'brokerId' is not the broker"),
        ("110019", "Close open positions|close positions"),
        ("102089", "position mode"),
        ("429", "500 a minute"),
    ],
)
def test_the_message_says_what_to_do_in_one_line(mine, venue, code, what_to_do):
    venue.refuse("account/balance", code, "Something.")
    with pytest.raises(ccxt.BaseError, match=what_to_do) as raised:
        mine.fetch_balance()
    assert "\n" not in str(raised.value)


def test_a_side_that_the_position_mode_does_not_have_is_told_as_that(blofin, venue):
    venue.refuse("trade/order", "152001", "Parameter positionSide cannot be empty.")
    with pytest.raises(ccxt.InvalidOrder, match=r"positionSide.*position mode"):
        blofin.create_order(BTC, "market", "buy", 1)


@pytest.mark.parametrize("path", ["trade/order-tpsl", "trade/order-algo"])
def test_a_verdict_in_a_single_object_counts(blofin, venue, path):
    price = "stopLossPrice" if "tpsl" in path else "triggerPrice"
    row = {"tpslId": None, "clientOrderId": None, "code": "102038", "msg": "SL trigger price"}
    venue.answer(path, row)
    with pytest.raises(ccxt.InvalidOrder, match="102038: SL trigger price"):
        blofin.create_order(BTC, "market", "sell", 1, None, {price: 58000})


def test_stock_ccxt_takes_a_refused_stop_for_a_success(stock, venue):
    venue.answer("trade/order-algo", {"algoId": None, "code": "102038", "msg": "SL trigger price"})
    stock.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 58000})


def test_a_verdict_in_a_list_counts_whatever_the_envelope_says(blofin, venue):
    row = {"orderId": None, "clientOrderId": "x", "code": "103003", "msg": "No margin"}
    for code in ("0", "1", "2"):
        venue.refuse("trade/order", code, "", [row])
        with pytest.raises(ccxt.InsufficientFunds, match="103003: No margin"):
            blofin.create_order(BTC, "market", "buy", 1)


@pytest.mark.parametrize("code", ["500", "1000", "102068"])
@pytest.mark.parametrize("params", [{}, {"tpsl": True}, {"trigger": True}])
def test_a_cancel_that_comes_too_late_is_order_not_found(mine, venue, code, params):
    text = "Cancel failed as the order has been filled, triggered, canceled or does not exist."
    row = {"clientOrderId": None, "code": code, "msg": text}
    venue.answer("trade/cancel-order", row)
    venue.answer("trade/cancel-tpsl", [row])
    venue.answer("trade/cancel-algo", row)
    with pytest.raises(ccxt.OrderNotFound):
        mine.cancel_order("5", BTC, params)


def test_a_batch_cancel_fails_only_when_all_of_it_did(mine, venue):
    gone = {"orderId": "2", "code": "1000", "msg": "or does not exist."}
    venue.answer("trade/cancel-batch-orders", [gone, {"orderId": "1", "clientOrderId": ""}])
    first, second = mine.cancel_orders(["2", "1"], BTC)
    assert first["info"]["code"] == "1000"
    assert second["id"] == "1"
    venue.answer("trade/cancel-batch-orders", [gone, gone])
    with pytest.raises(ccxt.OrderNotFound):
        mine.cancel_orders(["2", "2"], BTC)


def test_stock_ccxt_reports_a_half_cancelled_batch_as_failed(stock, venue):
    gone = {"orderId": "2", "code": "1000", "msg": "gone"}
    venue.refuse("trade/cancel-batch-orders", "2", "partially", [gone, {"orderId": "1"}])
    with pytest.raises(ccxt.ExchangeError):
        stock.cancel_orders(["2", "1"], BTC)


WAF_PAGE = (
    "<html><head><title>403</title></head><body>Attention Required! | Cloudflare</body></html>"
)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (WAF_PAGE, "text/html"),
        ('{"message":"denied"}', "application/json"),
        ('{"code":"403","msg":"Forbidden"}', "application/json"),
    ],
)
def test_a_403_is_told_as_what_it_may_be_a_ban_or_a_blocked_region(
    blofin, venue, text, content_type
):
    venue.raw("account/positions", 403, text, content_type)
    with pytest.raises(ccxt.DDoSProtection, match=r"(?s)too many.*|VPN") as raised:
        blofin.fetch_positions()
    assert "VPN exits and blocked regions" in str(raised.value)
    assert "<" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [(WAF_PAGE, "text/html"), ('{"code":"429","msg":"Too Many Requests"}', "application/json")],
)
def test_too_many_requests_is_both_of_ccxt_s_exceptions(blofin, venue, text, content_type):
    venue.raw("account/positions", 429, text, content_type)
    for error in (ccxt.RateLimitExceeded, ccxt.DDoSProtection):
        with pytest.raises(error, match="500 a minute"):
            blofin.fetch_positions()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, ccxt.ExchangeNotAvailable),
        (502, ccxt.ExchangeNotAvailable),
        (504, ccxt.RequestTimeout),
        (401, ccxt.AuthenticationError),
        (200, ccxt.ExchangeNotAvailable),
    ],
)
def test_any_other_page_is_short_and_typed(mine, venue, status, error):
    venue.raw("account/positions", status, "<html><p>nginx</p>" + "x" * 5000)
    with pytest.raises(error, match="no answer of the API") as raised:
        mine.fetch_positions()
    assert len(str(raised.value)) < 500
    assert "nginx" in str(raised.value)


def test_stock_ccxt_returns_a_page_as_an_answer(stock, venue):
    venue.raw("account/positions", 200, "<html>maintenance</html>")
    assert stock.fetch_positions() == []  # no positions, says a maintenance page


def test_json_without_a_code_is_no_success(mine, venue):
    venue.raw("account/positions", 200, '{"status":"maintenance"}', "application/json")
    with pytest.raises(ccxt.BadResponse, match="maintenance"):
        mine.fetch_positions()


def test_json_without_a_code_falls_back_to_the_status(mine, venue):
    venue.raw("account/positions", 403, '{"message":"denied"}', "application/json")
    with pytest.raises(ccxt.DDoSProtection):
        mine.fetch_positions()


def test_every_exception_class_is_freqtrade_s_to_handle():
    handled = (ccxt.OperationFailed, ccxt.ExchangeError)
    assert all(issubclass(error, handled) for error in BlofinSync().exceptions["exact"].values())
