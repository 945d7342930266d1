"""The candles that a rehearsal was traded on, where `report` and `explain` look for them."""

import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType
from freqtrade.exchange import timeframe_to_msecs

from bubbybot_freqtrade.rehearsal.backtest import data_start
from bubbybot_freqtrade.rehearsal.run import Rehearsal
from bubbybot_freqtrade.rehearsal.settings import inst_id
from bubbybot_freqtrade.sandbox.server import Sandbox

COLUMNS = ("open", "high", "low", "close")


def keep_candles(rehearsal: Rehearsal, sandbox: Sandbox) -> None:
    """Write what a backtest would have downloaded, without asking for it over HTTP."""
    folder = rehearsal.settings.out / "data" / "blofin"
    (folder / "futures").mkdir(parents=True, exist_ok=True)
    handler = get_datahandler(folder, "feather")
    for pair in rehearsal.config["exchange"]["pair_whitelist"]:
        for timeframe in rehearsal.timeframes:
            frame = _candles(rehearsal, sandbox, pair, timeframe)
            handler.ohlcv_store(pair, timeframe, frame, CandleType.FUTURES)


def _candles(rehearsal: Rehearsal, sandbox: Sandbox, pair: str, timeframe: str) -> pd.DataFrame:
    """The finished candles of the span and of the warm-up before it, oldest first."""
    end, step = rehearsal.span.end_ms, timeframe_to_msecs(timeframe)
    # The venue writes hours and days in capitals.
    bar = timeframe if timeframe.endswith("m") else timeframe.upper()
    count = (end - data_start(rehearsal, timeframe)) // step
    rows = sandbox.market.candles(inst_id(pair), bar, now_ms=end, limit=count)
    finished = [row for row in reversed(rows) if row.ts + step <= end]
    frame = pd.DataFrame(
        {name: [float(getattr(row, name)) for row in finished] for name in COLUMNS}
    )
    frame["volume"] = [float(row.volume_currency) for row in finished]
    opened = pd.to_datetime([row.ts for row in finished], unit="ms", utc=True)
    frame.insert(0, "date", opened)
    return frame
