"""Why trades ended, in the words of a trader."""

from bubbybot_freqtrade.learning.results import ReportTrade

TARGET, STOP, MOVED_STOP = "target", "stop", "moved stop"

_WORDS = {
    "roi": TARGET,
    "take_profit_on_exchange": TARGET,
    "stop_loss": STOP,
    "stoploss_on_exchange": STOP,
    "trailing_stop_loss": MOVED_STOP,
    "liquidation": "liquidation",
    "force_exit": "forced",
    "emergency_exit": "emergency",
    "too_old": "time",
    "daily_loss_limit": "day's loss limit",
    "liquidation_near": "liquidation near",
    "volatility_shock": "volatility shock",
    "stop_passed": "price beyond the moved stop",
    "delisting": "delisting",
    "funding_extreme": "extreme funding",
}

# A stop may have been rounded on its way; one that was moved is elsewhere for good.
SAME_STOP = 0.02


def exit_words(trade: ReportTrade) -> str:
    """A closed trade's exit reason in words; what a user made up stays as it is."""
    words = _WORDS.get(trade.exit_reason, trade.exit_reason.replace("_", " "))
    return MOVED_STOP if words == STOP and _was_moved(trade) else words


def _was_moved(trade: ReportTrade) -> bool:
    if trade.moves:
        return True
    way = abs(trade.entry - trade.stop)
    return trade.last_stop > 0 and abs(trade.last_stop - trade.stop) > SAME_STOP * way > 0
