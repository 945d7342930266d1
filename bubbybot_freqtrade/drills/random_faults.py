"""Everything at once, by chance: entries, exits, stops, faults, hands in the app, restarts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from freqtrade.persistence import Trade

from bubbybot_freqtrade.drills.desk import CLIENT_TIMEOUT_MS, Desk
from bubbybot_freqtrade.drills.drill import Run, settle, spread
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id, walk

PRICES = {BTC: 50_000.0, ETH: 2_000.0, SOL: 150.0}
PAIRS = tuple(PRICES)
# After so many steps the faults end and the books are compared.
STEPS_BETWEEN_CHECKS = 15
# A desk is made new after so many, so that one database does not grow for ever.
STEPS_A_DESK = 250

FAULTS: Mapping[str, dict[str, Any]] = {
    "lost answer": {"kind": "lost_reset"},
    "502 after effect": {"kind": "lost_http", "status": 502},
    "truncated answer": {"kind": "lost_truncated"},
    "answer too late": {"kind": "lost_timeout", "delay_ms": 2 * CLIENT_TIMEOUT_MS},
    "reset": {"kind": "reset"},
    "429": {"kind": "http", "status": 429},
    "403": {"kind": "http", "status": 403},
    "503": {"kind": "http", "status": 503},
    "internal error": {"kind": "code", "code": "103013"},
    "no margin": {"kind": "code", "code": "103003"},
    "stop canceled": {"kind": "tpsl_canceled"},
    "fill before cancel": {"kind": "fill_first"},
}
PATHS = (
    "*/trade/order",
    "*/trade/order-tpsl",
    "*/trade/amend-tpsl",
    "*/trade/cancel-*",
    "*/trade/*",
    "*/account/*",
    "*",
)


class Hands:
    """What can be done to a desk at a step. The same for seeded runs and for hypothesis."""

    def __init__(self, desk: Desk) -> None:
        """The bot of `desk` runs already."""
        self.desk = desk
        self.disturbed = False

    def enter(self, pair: str, side: str, away: float) -> None:
        """Ask for an entry: at market, or by a limit `away` (a share) from the price."""
        if any(trade.pair == pair for trade in Trade.get_open_trades()):
            return
        price = float(self.desk.sandbox.engine.venue.last_price(inst_id(pair)))
        if away:
            sign = 1 if side == "long" else -1
            price *= 1 - sign * away
            self.desk.enter(pair, side, price, order_type="limit")
        else:
            self.desk.enter(pair, side)

    def exit(self, pair: str) -> None:
        """Ask for an exit."""
        self.desk.exit(pair)

    def tighten(self, pair: str, share: float) -> None:
        """Want the stop `share` from the price."""
        for trade in Trade.get_open_trades():
            if trade.pair == pair:
                price = float(self.desk.sandbox.engine.venue.last_price(inst_id(pair)))
                sign = -1 if trade.is_short else 1
                self.desk.bot.strategy.stop_at[pair] = price * (1 - sign * share)

    def wait(self, minutes: float) -> None:
        """Let the market move."""
        self.desk.pass_time(minutes)

    def fault(self, name: str, path: str, times: int) -> None:
        """Switch a fault on for the next `times` requests to `path`."""
        method = None if path == "*" else "POST"
        self.desk.fault(path=path, method=method, times=times, **FAULTS[name])
        self.disturbed = True

    def cancel_stops(self, pair: str) -> None:
        """The owner's hand."""
        self.desk.cancel_stops(pair)

    def close_position(self, pair: str) -> None:
        """The owner's hand."""
        self.desk.close_position(pair)

    def set_leverage(self, pair: str, leverage: int) -> None:
        """The owner's hand."""
        body = {"instId": inst_id(pair), "marginMode": "isolated", "leverage": str(leverage)}
        self.desk.app("/account/set-leverage", body)

    def fill_part(self) -> None:
        """The market takes a third of the oldest waiting order."""
        for order in list(self.desk.watch.account.live_orders())[:1]:
            third = (order.remaining / 3).to_integral_value()
            if third:
                self.desk.sandbox.fill(order.order_id, third)

    def restart(self, minutes: float) -> None:
        """End the bot and start another one."""
        self.desk.calm()
        self.desk.restart(minutes)
        self.disturbed = False

    def loop(self) -> None:
        """The bot works; faults that are on may keep it from doing so."""
        self.desk.loop(able=not self.disturbed)

    def settle(self) -> None:
        """Peace, and the time to find out where everything stands."""
        settle(self.desk)
        self.disturbed = False


def random_faults(run: Run) -> None:
    """`run.steps` steps by chance, the laws after each, the books every few."""
    draw = Random(f"faults {run.seed}")  # noqa: S311 - a drill
    done, kinds = 0, Counter[str]()
    while done < run.steps:
        share = min(STEPS_A_DESK, run.steps - done)
        seed = draw.randrange(10_000)
        minutes = 60 + 12 * share
        prices = {
            pair: walk(price, minutes, seed + n) for n, (pair, price) in enumerate(PRICES.items())
        }
        with run.desk(prices, amend_tpsl=draw.random() < 0.7) as desk:
            desk.start()
            desk.loop()
            _play(run, desk, draw, share, kinds)
        done += share
    run.figures.notes.append(f"{done} steps: {spread(kinds)}")


def _play(run: Run, desk: Desk, draw: Random, count: int, kinds: Counter[str]) -> None:
    hands = Hands(desk)
    for number in range(1, count + 1):
        name = _step(hands, draw)
        kinds[name] += 1
        hands.loop()
        last = number == count
        if number % STEPS_BETWEEN_CHECKS == 0 or last:
            hands.settle()
            run.check(desk, f"step {number} ({name})")
            run.say(f"{number} steps, {len(run.figures.broken)} laws broken")
        if desk.stopped:
            return


def _step(hands: Hands, draw: Random) -> str:
    pair = draw.choice(PAIRS)
    side = draw.choice(("long", "short"))
    acts: dict[str, tuple[int, Callable[[], None]]] = {
        "entry": (6, lambda: hands.enter(pair, side, draw.choice((0.0, 0.0, 0.001)))),
        "exit": (3, lambda: hands.exit(pair)),
        "stop": (4, lambda: hands.tighten(pair, draw.uniform(0.001, 0.02))),
        "time": (4, lambda: hands.wait(draw.uniform(0.2, 8))),
        "fault": (
            6,
            lambda: hands.fault(draw.choice(list(FAULTS)), draw.choice(PATHS), draw.randint(1, 3)),
        ),
        "stop canceled by hand": (1, lambda: hands.cancel_stops(pair)),
        "closed by hand": (1, lambda: hands.close_position(pair)),
        "leverage by hand": (1, lambda: hands.set_leverage(pair, draw.randint(1, 50))),
        "part filled": (1, hands.fill_part),
        "restart": (1, lambda: hands.restart(draw.uniform(0.1, 5))),
    }
    name = draw.choices(list(acts), [weight for weight, _ in acts.values()])[0]
    acts[name][1]()
    return name
