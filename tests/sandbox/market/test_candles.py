import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType

from bubbybot_freqtrade.sandbox.market.candles import CandleFolder, DataFolderError
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, HOUR_MS, MINUTE_MS, Minutes
from bubbybot_freqtrade.sandbox.market.prices import MarketData
from tests.places import RECORDED

START = 1_746_403_200_000  # 2025-05-05 00:00 UTC

Frame = Callable[..., pd.DataFrame]


def store(frame: pd.DataFrame, folder: Path, timeframe: str, kind: str = "futures") -> Path:
    file = folder / "futures" / f"BTC_USDT_USDT-{timeframe}-{kind}.feather"
    frame.to_feather(file)
    return file


def as_frame(minutes: Minutes, source: CandleFolder) -> pd.DataFrame:
    """Minutes of the sandbox in freqtrade's columns and units."""
    contract = source.instruments["BTC-USDT"]
    tick, lot = float(contract.tick_size), float(contract.lot_size * contract.contract_value)
    frame = pd.DataFrame(
        dict(
            zip(
                ["open", "high", "low", "close", "volume"],
                minutes.bars * np.array([[tick]] * 4 + [[lot]]),
                strict=True,
            )
        )
    )
    frame.insert(
        0,
        "date",
        pd.to_datetime(minutes.start_ms + MINUTE_MS * np.arange(len(frame)), unit="ms", utc=True),
    )
    return frame


def same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True),
        two.reset_index(drop=True),
        check_dtype=False,
        check_freq=False,
        rtol=0,
        atol=1e-9,
    )


def test_minutes_of_a_file(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 3_000)
    store(frame, folder, "1m")
    source = CandleFolder(folder)
    assert list(source.instruments) == ["BTC-USDT"]
    assert source.span("BTC-USDT") == (START, START + 3_000 * MINUTE_MS)
    same(as_frame(source.minutes("BTC-USDT", START - DAY_MS, START + 9 * DAY_MS), source), frame)
    part = source.minutes("BTC-USDT", START + HOUR_MS - 1, START + HOUR_MS + 1)
    same(as_frame(part, source), frame.iloc[60:61])


def test_the_futures_folder_itself_may_be_named(folder: Path, candles_frame: Frame) -> None:
    store(candles_frame(START, 1, 10), folder, "1m")
    assert CandleFolder(folder / "futures").instruments == CandleFolder(folder).instruments


@pytest.mark.parametrize("storage", ["feather", "parquet", "json", "jsongz"])
def test_files_as_freqtrade_writes_them(tmp_path: Path, candles_frame: Frame, storage: str) -> None:
    """Candles, mark price and funding rate, stored by freqtrade's own handlers."""
    handler = get_datahandler(tmp_path, storage)
    pair, frame = "BTC/USDT:USDT", candles_frame(START, 5, 600)
    mark = candles_frame(START, 60, 50, seed=1)
    rates = [0.0001, -0.00025, 0.0]
    times = [START, START + 8 * HOUR_MS + 3, START + 16 * HOUR_MS]
    handler.ohlcv_store(pair, "5m", frame, CandleType.FUTURES)
    handler.ohlcv_store(pair, "1h", mark, CandleType.MARK)
    dates = pd.to_datetime(times, unit="ms", utc=True)
    handler.ohlcv_store(
        pair,
        "1h",
        pd.DataFrame({"date": dates, "funding_rate": rates}),
        CandleType.FUNDING_RATE,
    )
    source = CandleFolder(tmp_path)
    minutes = as_frame(source.minutes("BTC-USDT", START, START + 3_000 * MINUTE_MS), source)
    assert len(minutes) == 3_000
    same(minutes.iloc[::5][["date", "open"]], frame[["date", "open"]])

    bars = source.mark_bars("BTC-USDT")
    assert bars is not None
    assert bars.duration_ms == HOUR_MS
    assert np.allclose(bars.high * 0.1, mark["high"])
    funding = source.funding("BTC-USDT")
    assert funding is not None
    assert funding.rate.tolist() == rates
    assert funding.time.tolist() == [START, START + 8 * HOUR_MS, START + 16 * HOUR_MS]


def test_funding_in_the_layout_before_2026(folder: Path, candles_frame: Frame) -> None:
    """The rate used to be the `open` of a candle."""
    store(candles_frame(START, 1, 10), folder, "1m")
    old = candles_frame(START, 480, 3)
    old["open"] = [0.0001, 0.0002, -0.0003]
    store(old, folder, "1h", "funding_rate")
    funding = CandleFolder(folder).funding("BTC-USDT")
    assert funding is not None
    assert funding.rate.tolist() == [0.0001, 0.0002, -0.0003]


@pytest.mark.parametrize(
    ("timeframe", "minutes"), [("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1440)]
)
def test_minutes_of_coarser_files_fold_back_to_them(
    folder: Path, candles_frame: Frame, resample: Frame, timeframe: str, minutes: int
) -> None:
    frame = candles_frame(START, minutes, 6 * 1440 // minutes)
    store(frame, folder, timeframe)
    source = CandleFolder(folder)
    made = as_frame(source.minutes("BTC-USDT", START, START + 6 * DAY_MS), source)
    assert len(made) == 6 * 1440
    same(resample(made, f"{minutes}min"), frame)
    # Not a flat line with spikes: most minutes of a candle that moves move too.
    assert (made["close"] != made["open"]).mean() > 0.8


def test_the_range_asked_for_changes_no_minute(folder: Path, candles_frame: Frame) -> None:
    store(candles_frame(START, 60, 100), folder, "1h")
    source = CandleFolder(folder)
    whole = source.minutes("BTC-USDT", START, START + 100 * HOUR_MS)
    for first, last in ((0, 1), (59, 61), (1439, 1441), (1_000, 5_000)):
        start, end = START + first * MINUTE_MS, START + last * MINUTE_MS
        again = CandleFolder(folder).minutes("BTC-USDT", start, end)
        assert again.start_ms == start
        assert again.bars.tolist() == whole.cut(start, end).bars.tolist()


def test_a_seed_decides_the_way_through_coarse_candles(folder: Path, candles_frame: Frame) -> None:
    store(candles_frame(START, 60, 24), folder, "1h")
    one, two = (
        CandleFolder(folder, seed=seed).minutes("BTC-USDT", START, START + DAY_MS).bars
        for seed in (1, 2)
    )
    assert (one != two).any()


def test_the_finest_is_played_and_coarser_ones_around_it(
    folder: Path, candles_frame: Frame, resample: Frame
) -> None:
    """1m in the middle of 15m in the middle of 1h: whole candles of each, nothing twice."""
    real = candles_frame(START, 1, 5 * 1440)
    hours, quarters = resample(real, "1h"), resample(real, "15min")
    store(hours, folder, "1h")
    store(quarters.iloc[30:390], folder, "15m")
    store(real.iloc[1_000:3_007], folder, "1m")
    source = CandleFolder(folder)
    assert source.span("BTC-USDT") == (START, START + 5 * DAY_MS)
    made = as_frame(source.minutes("BTC-USDT", START, START + 5 * DAY_MS), source)
    same(resample(made, "1h"), hours)
    # 15m begins at 07:30, so the hour from 07:00 is the last coarse one; 1m at 16:40, until 16:45.
    same(resample(made, "15min").iloc[32:388], quarters.iloc[32:388])
    same(made.iloc[1_005:3_000], real.iloc[1_005:3_000])
    assert (made.iloc[1_000:1_005]["close"] != real.iloc[1_000:1_005]["close"]).any()


def test_files_that_a_gap_parts_are_left_out(
    folder: Path, candles_frame: Frame, caplog: pytest.LogCaptureFixture
) -> None:
    store(candles_frame(START, 1, 60), folder, "1m")
    store(candles_frame(START - 9 * DAY_MS, 60, 24), folder, "1h")
    with caplog.at_level(logging.WARNING):
        source = CandleFolder(folder)
    assert source.span("BTC-USDT") == (START, START + HOUR_MS)
    assert "candles of 60 minutes are left out" in caplog.text


def test_missing_candles_are_flat_and_silent(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 100)
    store(frame.drop(index=range(40, 50)), folder, "1m")
    source = CandleFolder(folder)
    made = as_frame(source.minutes("BTC-USDT", START, START + DAY_MS), source)
    gap = made.iloc[40:50]
    assert (gap[["open", "high", "low", "close"]] == frame.loc[39, "close"]).to_numpy().all()
    assert (gap["volume"] == 0).all()
    same(made.drop(index=range(40, 50)), frame.drop(index=range(40, 50)))


def test_doubled_and_unordered_candles_are_put_right(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 20)
    store(pd.concat([frame.iloc[10:], frame.iloc[:12]], ignore_index=True), folder, "1m")
    source = CandleFolder(folder)
    same(as_frame(source.minutes("BTC-USDT", START, START + DAY_MS), source), frame)


def test_the_tick_is_fine_enough_for_the_file(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 20)
    store(frame, folder, "1m")
    assert CandleFolder(folder).instruments["BTC-USDT"].tick_size == Decimal("0.1")
    frame.loc[3, ["high", "close"]] = frame.loc[3, "high"] + 0.125
    store(frame, folder, "1m")
    source = CandleFolder(folder)
    assert source.instruments["BTC-USDT"].tick_size == Decimal("0.001")
    same(as_frame(source.minutes("BTC-USDT", START, START + DAY_MS), source), frame)


def test_a_contract_by_the_price_when_the_known_one_would_not_fit(
    folder: Path, candles_frame: Frame
) -> None:
    """A pair called BTC that trades at 0.0001 cannot have contracts of 0.001 and ticks of 0.1."""
    frame = candles_frame(START, 1, 20)
    frame[["open", "high", "low", "close"]] /= 1e9
    store(frame, folder, "1m")
    contract = CandleFolder(folder).instruments["BTC-USDT"]
    assert 10 <= contract.contract_value * contract.profile.price <= 100
    assert contract.tick_size <= Decimal("0.00000001")


def test_pairs_can_be_chosen(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 20)
    store(frame, folder, "1m")
    frame.to_feather(folder / "futures" / "ETH_USDT_USDT-1m-futures.feather")
    assert set(CandleFolder(folder).instruments) == {"BTC-USDT", "ETH-USDT"}
    assert list(CandleFolder(folder, pairs=["ETH-USDT"]).instruments) == ["ETH-USDT"]
    with pytest.raises(DataFolderError, match=r"no candles for XRP-USDT; it has BTC-USDT"):
        CandleFolder(folder, pairs=["ETH-USDT", "XRP-USDT"])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match=r"nowhere: no such folder"):
        CandleFolder(tmp_path / "nowhere")


def test_an_empty_folder(folder: Path) -> None:
    with pytest.raises(DataFolderError, match=f"{folder}: no futures candles in it"):
        CandleFolder(folder)


def test_a_folder_with_spot_and_weekly_candles_only(folder: Path, candles_frame: Frame) -> None:
    frame = candles_frame(START, 1, 20)
    frame.to_feather(folder / "BTC_USDT-1m.feather")
    store(frame, folder, "1w")
    with pytest.raises(DataFolderError, match=r"too coarse: BTC_USDT_USDT-1w-futures.feather"):
        CandleFolder(folder)


def _faulty(frame: pd.DataFrame, fault: str) -> pd.DataFrame:
    if fault == "no rows":
        return frame.iloc[:0]
    if fault == "no column volume":
        return frame.drop(columns="volume")
    if fault == "no column date":
        return frame.rename(columns={"date": "when"})
    if fault == "more than numbers":
        return frame.assign(close="x")
    row = 7
    if fault == "missing number":
        frame.loc[row, "high"] = np.nan
    elif fault == "not positive":
        frame.loc[row, "low"] = -1.0
    elif fault == "lies outside":
        frame.loc[row, "high"] = frame.loc[row, "low"]
    elif fault == "negative volume":
        frame.loc[row, "volume"] = -1.0
    else:
        frame.loc[row, "date"] += pd.Timedelta(seconds=20)
    return frame


@pytest.mark.parametrize(
    "fault",
    [
        "no rows",
        "no column volume",
        "no column date",
        "missing number",
        "not positive",
        "lies outside",
        "negative volume",
        "does not start on its timeframe",
        "more than numbers",
    ],
)
def test_a_faulty_file_is_named(folder: Path, candles_frame: Frame, fault: str) -> None:
    file = store(_faulty(candles_frame(START, 1, 20), fault), folder, "1m")
    with pytest.raises(DataFolderError) as raised:
        CandleFolder(folder)
    assert str(file) in str(raised.value)
    assert fault in str(raised.value)
    assert "download it again" in str(raised.value)


@pytest.mark.parametrize("suffix", ["feather", "parquet", "json", "json.gz"])
def test_a_file_that_is_none(folder: Path, suffix: str) -> None:
    file = folder / "futures" / f"BTC_USDT_USDT-1m-futures.{suffix}"
    file.write_bytes(b"not candles")
    with pytest.raises(DataFolderError, match=f"{file}: cannot be read"):
        CandleFolder(folder)


def test_a_rate_that_is_no_number(folder: Path, candles_frame: Frame) -> None:
    store(candles_frame(START, 1, 10), folder, "1m")
    dates = pd.to_datetime([START], unit="ms", utc=True)
    file = store(
        pd.DataFrame({"date": dates, "funding_rate": [np.nan]}), folder, "1h", "funding_rate"
    )
    with pytest.raises(DataFolderError, match=f"{file}: a rate is not a number"):
        CandleFolder(folder)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="real candles are not on this machine")
@pytest.mark.parametrize(
    ("name", "bar", "timeframe"),
    [
        ("binance-15m", "15m", "15m"),
        ("binance-15m", "30m", "30m"),
        ("binance-15m", "1H", "1h"),
        ("binance-1m", "1m", "1m"),
    ],
)
@pytest.mark.parametrize("base", ["BTC", "ETH", "SOL"])
def test_real_candles_come_out_as_they_are_in_the_file(
    name: str, bar: str, timeframe: str, base: str
) -> None:
    file = RECORDED / name / "futures" / f"{base}_USDT_USDT-{timeframe}-futures.feather"
    frame = pd.read_feather(file)
    now = START + 12 * DAY_MS
    market = MarketData(CandleFolder(RECORDED / name, pairs=[f"{base}-USDT"]))
    candles = market.candles(f"{base}-USDT", bar, now_ms=now, limit=1440)[1:][::-1]
    wanted = frame[frame["date"].isin(pd.to_datetime([c.ts for c in candles], unit="ms", utc=True))]
    assert len(wanted) == len(candles) == 1439
    for at, column in enumerate(("open", "high", "low", "close"), start=1):
        assert [float(candle[at]) for candle in candles] == wanted[column].tolist()
    # The file is in floats, the venue in lots: half a lot is the most they may differ by.
    contract = market.instruments[f"{base}-USDT"]
    lot = float(contract.lot_size * contract.contract_value)
    volumes = [float(candle.volume_currency) for candle in candles]
    assert np.allclose(volumes, wanted["volume"], rtol=0, atol=lot / 2)
