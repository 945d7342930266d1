"""The shape of a probe: one question, what the sandbox assumes, what the bot copes with."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bubbybot_freqtrade.sandbox.readings import QUESTIONS
from bubbybot_freqtrade.verify.desk import Desk


class Verdict(StrEnum):
    """What an answer means for the bot."""

    AS_ASSUMED = "as assumed"
    COPES = "different, and the bot copes"
    DANGER = "different: do not trade live"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen. `reading` is one of the probe's, or something that nobody thought of."""

    reading: Any
    figures: str = ""


@dataclass(frozen=True, slots=True)
class UpTo:
    """Every number from 0 to `most`: what the bot waits for."""

    most: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float, Decimal)) and 0 <= value <= self.most


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever the venue says: the bot does not rely on it."""

    def __contains__(self, value: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the venue.

    readings: what may be seen, in words for people. `assumed` is the one of the sandbox, `copes`
    the others that the bot is built for; with anything else it must not trade, and `advice` says
    what to do. setting: the sandbox's question that the answer settles. once: a difference counts
    though it was seen once, since the moment does not come again in a run. What a probe leaves is
    taken away after it, by the journal.
    """

    name: str
    group: str
    asks: str
    measure: Callable[[Desk], Answer]
    assumed: Any
    readings: Mapping[Any, str] = field(default_factory=dict)
    copes: Container[Any] = ()
    advice: str = ""
    setting: str = ""
    once: bool = False

    def verdict(self, answer: Answer) -> Verdict:
        """What the answer means."""
        if answer.reading == self.assumed:
            return Verdict.AS_ASSUMED
        return Verdict.COPES if answer.reading in self.copes else Verdict.DANGER

    def words(self, reading: Any) -> str:
        """A reading for people."""
        known = self.readings.get(reading)
        return known if known is not None else str(reading)


def probe(
    group: str,
    asks: str,
    *,
    setting: str = "",
    assumed: Any = None,
    readings: Mapping[Any, str] | None = None,
    copes: Container[Any] = (),
    advice: str = "",
    once: bool = False,
) -> Callable[[Callable[[Desk], Answer]], Probe]:
    """Make a probe of a function that measures; its name is the probe's.

    With a `setting`, what is assumed is what the sandbox does by itself.
    """

    def make(measure: Callable[[Desk], Answer]) -> Probe:
        return Probe(
            name=measure.__name__.replace("_", "-"),
            group=group,
            asks=asks,
            measure=measure,
            assumed=QUESTIONS[setting].default if setting else assumed,
            readings=readings or {},
            copes=copes,
            advice=advice,
            setting=setting,
            once=once,
        )

    return make
