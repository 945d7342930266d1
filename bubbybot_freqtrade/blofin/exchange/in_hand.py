"""Pairs that something is being done about: a second look at the account leaves them alone.

While an answer is waited for, the account is looked at amid whatever asked (`real_time`). What that
was about to do with its own pair it does by what it saw before: two stops would be placed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock


class InHand:
    """The pairs that are in hand now, of the loop's thread and of commands'."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()
        self._lock = Lock()
        self._left_alone = False

    @contextmanager
    def hold(self, pairs: Iterable[str]) -> Iterator[None]:
        """Have pairs left alone inside, those that are held already too."""
        held = Counter(set(pairs))
        with self._lock:
            self._times.update(held)
        try:
            yield
        finally:
            with self._lock:
                self._times -= held

    def leaves_alone(self, pair: str) -> bool:
        """Whether a pair is in hand, at whose state somebody looks."""
        with self._lock:
            is_held = pair in self._times
            self._left_alone |= is_held
            return is_held

    def has_left(self) -> bool:
        """Whether a pair was left alone that is not in hand any more; once."""
        with self._lock:
            has_left = self._left_alone and not self._times
            self._left_alone &= not has_left
            return has_left
