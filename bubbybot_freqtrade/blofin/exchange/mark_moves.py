"""Prices of held positions that move fast, by what is pushed of the positions themselves."""

from typing import Any

# A share of the price. freqtrade looks at its exits, and a strategy at whatever it likes, in the
# loop that this wakes; what is less than this can wait for the next one.
WAKING_MOVE = 0.005


class MarkMoves:
    """How far each position's mark price has gone since it last woke the loop."""

    def __init__(self) -> None:
        self._from: dict[str, float] = {}

    def forget(self) -> None:
        """Begin anew, with the prices that are pushed next."""
        self._from.clear()

    def are_fast(self, rows: Any) -> bool:
        """Take pushed positions in; whether one has moved by `WAKING_MOVE`.

        What can't be read is no price: nothing is done on it but a loop that comes a little sooner.
        """
        fast = False
        for row in rows if isinstance(rows, list) else ():
            try:
                position, price = str(row["positionId"]), float(row["markPrice"])
            except (KeyError, TypeError, ValueError):
                continue
            start = self._from.setdefault(position, price)
            if start > 0 and abs(price / start - 1) >= WAKING_MOVE:
                self._from[position] = price
                fast = True
        return fast
