"""Pushed candles, however they arrive: what is kept follows on and has ended, save the last."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro

MINUTE = 60_000
SYMBOL = "BTC/USDT:USDT"
CLIENT = SimpleNamespace(resolve=lambda *_: None)


def watcher() -> BlofinPro:
    exchange = BlofinPro()
    market = {"id": "BTC-USDT", "symbol": SYMBOL, "type": "swap", "swap": True, "spot": False}
    exchange.markets = {SYMBOL: market}
    exchange.markets_by_id = {"BTC-USDT": [market]}
    return exchange


def push(exchange: BlofinPro, minute: int, price: float, confirm: bool) -> None:
    numbers = [str(price)] * 4 + ["1"] * 3
    row = [str(minute * MINUTE), *numbers, "1" if confirm else "0"]
    arg = {"channel": "candle1m", "instId": "BTC-USDT"}
    exchange.handle_ohlcv(CLIENT, {"arg": arg, "data": [row]})


def kept(exchange: BlofinPro) -> list[list]:
    return list(exchange.ohlcvs.get(SYMBOL, {}).get("1m", []))


pushes = st.lists(
    st.tuples(st.integers(1, 8), st.integers(1, 5), st.booleans()), min_size=1, max_size=40
)


@given(pushes)
def test_kept_candles_follow_on_and_have_ended_save_the_last(sequence):
    exchange = watcher()
    final: dict[int, float] = {}
    for minute, price, confirm in sequence:
        before = exchange.last_ended.get((SYMBOL, "1m"), 0)
        push(exchange, minute, price, confirm)
        if confirm and exchange.last_ended.get((SYMBOL, "1m"), 0) > before:
            final[minute * MINUTE] = float(price)
        candles = kept(exchange)
        opened = [candle[0] for candle in candles]
        assert opened == list(range(opened[0], opened[-1] + 1, MINUTE))
        for candle in candles[:-1]:
            assert candle[4] == final[candle[0]]


@given(st.integers(1, 20))
def test_an_orderly_stream_is_kept_whole(minutes):
    exchange = watcher()
    for minute in range(1, minutes + 1):
        push(exchange, minute, 10.0, False)
        push(exchange, minute, float(minute), True)
    assert [candle[4] for candle in kept(exchange)] == [float(m) for m in range(1, minutes + 1)]
    assert exchange.last_ended == {(SYMBOL, "1m"): minutes * MINUTE}


def test_a_late_push_does_not_reopen_a_candle():
    exchange = watcher()
    push(exchange, 1, 5.0, True)
    push(exchange, 1, 4.0, False)
    assert [candle[4] for candle in kept(exchange)] == [5.0]


def test_a_candle_that_never_ended_is_forgotten_with_all_before():
    exchange = watcher()
    push(exchange, 1, 5.0, True)
    push(exchange, 2, 6.0, False)
    push(exchange, 3, 7.0, False)
    assert [candle[0] for candle in kept(exchange)] == [3 * MINUTE]
