"""What others found: every kind of fault that was ever reported, on every reading of the venue.

A kind is a number and a handful of cases with the real bot. They are played on the sandbox as it
is, then with every other reading of every open question, then with pairs of them.

Kinds: 1 lots that floats lose, 2 stops that were passed while moved, 3 refusals nobody knows, 4 not
found right after a success, 5 positions of other modes, 6 closed and 7 grown by hand, 8 pairs that
are gone, 9 contracts that change, 10 tiers of large contracts, 11 more than one market order takes,
12 stops that fire short, 13 brackets that get lost, 14 sums where the side matters, 15 numbers as
text, 16 stops on the mark price, 17 refusals of the firewall, 18 lists that lag or are empty, 19
rows that are no rows, 20 redirects, 21 other bots, 22 restored databases, 23 false alarms, 24 parts
too small to leave, 25 lists without an end.

Of 17 and 25 this is what a drill can find. A first pushed candle is in the drill `streams`; rows of
ccxt, `.env` files, the sandbox's own paths and its state file have tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from freqtrade.exceptions import FreqtradeException

from bubbybot_freqtrade.drills.desk import HALF_A_DAY
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import straight
from bubbybot_freqtrade.drills.outside import answers, hands, markets, sizes, stops
from bubbybot_freqtrade.drills.outside.case import Case
from bubbybot_freqtrade.sandbox.readings import in_words, one_at_a_time, random_pairs

CASES: tuple[Case, ...] = (
    *sizes.CASES,
    *stops.CASES,
    *hands.CASES,
    *answers.CASES,
    *markets.CASES,
)
PAIRS_OF_READINGS = 10
# No case loses an answer, and a request that takes long on a busy machine is not a lost one: an
# entry before which one is is refused. ccxt's own.
TIMEOUT_MS = 10_000


def outside(run: Run) -> None:
    """Every case on every reading, or on the one that was asked for."""
    for readings in _readings(run):
        for case in CASES:
            name = f"kind {case.kind}, {case.name} [{in_words(readings) or 'as it is'}]"
            if run.cases(name) and not set(readings) & set(case.settings):
                _play(run, case, name, readings)
                run.say(f"{name}, {len(run.figures.broken)} laws broken")


def _readings(run: Run) -> Iterator[Mapping[str, Any]]:
    if run.readings:
        yield run.readings
        return
    yield {}
    yield from one_at_a_time()
    yield from random_pairs(run.seed, PAIRS_OF_READINGS)


def _play(run: Run, case: Case, name: str, readings: Mapping[str, Any]) -> None:
    prices = {pair: straight(course, HALF_A_DAY) for pair, course in case.prices.items()}
    settings = {**readings, **case.settings}
    config = {"timeout_ms": TIMEOUT_MS, **case.config}
    with run.desk(prices, config=config, **settings) as desk:
        if case.before is not None:
            case.before(desk)
        try:
            desk.start()
        except FreqtradeException as error:
            run.figures.inputs += 1
            run.must(not case.starts and case.refusal in str(error), name, f"it says {error}")
            return
        run.must(case.starts, name, "it starts")
        desk.loop()
        case.play(run, desk, name)
        settle(desk)
        run.check(desk, name, books=case.books)
        leave(desk)
        settle(desk)
        run.check(desk, f"{name}, closed", books=case.books)
