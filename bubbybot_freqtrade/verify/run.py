"""A run: every probe in turn, each difference asked twice, everything taken away after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bubbybot_freqtrade.verify.cleaning import Cleaner
from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.exchanges import Exchange
from bubbybot_freqtrade.verify.probe import Answer, Probe, Verdict
from bubbybot_freqtrade.verify.view import MALFORMED, NotMeasuredError

# How often a probe that was answered once, but not as assumed, is asked again for a second answer.
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one probe; `reason` says why it was not measured."""

    probe: Probe
    verdict: Verdict
    at_ms: int
    answer: Answer | None = None
    reason: str = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def measured(self) -> str:
        """For people: the reading and its figures, or why there is none."""
        if self.answer is None:
            return self.reason
        words = self.probe.words(self.answer.reading)
        return f"{words} ({self.answer.figures})" if self.answer.figures else words


@dataclass(slots=True)
class Run:
    """What a run has found so far; `notes` are things that its owner has to do."""

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run(
    desk: Desk,
    probes: Sequence[Probe],
    show: Callable[[Result], None] = lambda _: None,
    into: Run | None = None,
) -> Run:
    """Measure `probes`. An interrupted run raises when its remains are gone, if they can be.

    :raises CleaningError: when something may be left; nothing is measured after that
    """
    so_far = into or Run()
    try:
        for probe in probes:
            result = measure(desk, probe)
            so_far.results.append(result)
            show(result)
    finally:
        cleaner = Cleaner(desk)
        cleaner.clean(thorough=True)
        so_far.notes += cleaner.notes
    return so_far


def measure(desk: Desk, probe: Probe) -> Result:
    """One probe. An answer that is not as assumed counts only when it comes twice."""
    first_exchange = len(desk.client.exchanges.kept)
    answer, reason = _once(desk, probe)
    if answer is not None and answer.reading != probe.assumed and not probe.once:
        answer, reason = _asked_again(desk, probe, answer)
    return Result(
        probe=probe,
        verdict=Verdict.NOT_MEASURED if answer is None else probe.verdict(answer),
        at_ms=desk.clock.now_ms(),
        answer=answer,
        reason=reason,
        exchanges=tuple(desk.client.exchanges.kept[first_exchange:]),
    )


def _asked_again(desk: Desk, probe: Probe, first: Answer) -> tuple[Answer | None, str]:
    """`first`, once it has come a second time; of two numbers the larger."""
    reason = ""
    for _ in range(ATTEMPTS):
        again, reason = _once(desk, probe)
        if again is None:
            continue
        if _agree(first.reading, again.reading):
            return max(first, again, key=_magnitude), ""
        one, other = probe.words(first.reading), probe.words(again.reading)
        return None, f"two answers: {one}; {other}"
    return None, f"answered once, and not again ({reason})"


def _once(desk: Desk, probe: Probe) -> tuple[Answer | None, str]:
    try:
        return probe.measure(desk), ""
    except (NoAnswerError, NotMeasuredError) as error:
        return None, str(error)
    except MALFORMED as error:
        return None, f"an answer that cannot be read ({type(error).__name__}: {error})"
    finally:
        Cleaner(desk).clean()


# Delays in ms: two measurements of one venue differ, but not by more than this.
_DELAYS_APART_MS = 1_000


def _agree(one: object, other: object) -> bool:
    if _is_number(one) and _is_number(other):
        return abs(one - other) <= _DELAYS_APART_MS  # type: ignore[operator]
    return one == other


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _magnitude(answer: Answer) -> float:
    return float(answer.reading) if _is_number(answer.reading) else 0.0
