"""BubbyBot in a backtest that finds closed trades among freqtrade's that the test has put there."""

from datetime import datetime

from freqtrade.persistence import LocalTrade

from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

# So small that no account notices them; in R they are like any other.
AMOUNT = 1e-9


class Planted(BubbyBotStrategy):
    """`planted` in the config lists trades: pair, side, tag, close_date (ISO) and how many."""

    def bot_loop_start(self, current_time, **kwargs):
        for number, told in enumerate(self.config.pop("planted", []), start=1):
            for copy in range(told["count"]):
                self._plant(-1000 * number - copy, told)
        super().bot_loop_start(current_time, **kwargs)

    def _plant(self, number, told):
        sign = 1 if told["side"] == "long" else -1
        closed = datetime.fromisoformat(told["close_date"])
        trade = LocalTrade(
            id=number,
            pair=told["pair"],
            is_short=sign < 0,
            enter_tag=told["tag"],
            is_open=False,
            open_rate=100.0,
            close_rate=100.0 - 2 * sign,
            open_date=closed,
            close_date=closed,
            stake_amount=100 * AMOUNT,
            max_stake_amount=100 * AMOUNT,
            amount=AMOUNT,
            leverage=1.0,
            fee_open=0.0,
            fee_close=0.0,
            close_profit=-0.02,
            close_profit_abs=-2 * AMOUNT,
            exit_reason="planted",
            stop_loss=100.0 - 2 * sign,
            initial_stop_loss=100.0 - 2 * sign,
            orders=[],
        )
        self.memory.plans[trade.id, trade.open_date_utc] = TradePlan(
            pair=trade.pair,
            side=told["side"],
            entry=100.0,
            stop=100.0 - 2 * sign,
            target=100.0 + 6 * sign,
            leverage=1,
            size=AMOUNT,
            margin=100 * AMOUNT,
            risk=2 * AMOUNT,
            reward_risk=3.0,
            liquidation=100.0 - 50 * sign,
            confidence=0.8,
            equity=1.0,
            tag=told["tag"],
        )
        LocalTrade.bt_trades.append(trade)
