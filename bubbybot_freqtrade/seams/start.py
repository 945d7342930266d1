"""At the start: is this freqtrade, and this ccxt, one that the package was tested with?"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from freqtrade.exceptions import OperationalException

from bubbybot_freqtrade.seams.listed import (
    CCXT,
    EXCHANGE_INSIDE,
    EXCHANGE_REPLACED,
    FREQTRADE_AROUND_US,
    TESTED,
    TESTED_CCXT,
)
from bubbybot_freqtrade.seams.reading import Seam

OF_A_BOT = (*FREQTRADE_AROUND_US, *EXCHANGE_INSIDE, *EXCHANGE_REPLACED)
"""What a bot needs of freqtrade."""


@cache
def refusal(*more: Seam) -> str | None:
    """Why no bot may run with the installed freqtrade and ccxt, in one line; None where it may.

    :param more: what the caller needs of freqtrade besides

    The sources are read once a process, in less than a second.
    """
    for package, seams, oldest, newest in (
        ("freqtrade", (*OF_A_BOT, *more), TESTED[0], TESTED[-1]),
        ("ccxt", CCXT, TESTED_CCXT, TESTED_CCXT),
    ):
        for difference in differences(_folder(package), seams):
            installed = import_module(package).__version__
            return (
                f"{package} {installed} differs inside from what BubbyBot was tested with "
                f"({oldest} to {newest}), so no bot runs on it: {difference}. "
                f"Run: pip install {package}=={newest}"
            )
    return None


def refuse_unknown(*more: Seam) -> None:
    """Refuse to start with a freqtrade or ccxt whose inside is not as it was tested.

    :param more: what the caller needs of freqtrade besides what every bot does
    :raises OperationalException: one line that names the difference and the tested version
    """
    if (told := refusal(*more)) is not None:
        raise OperationalException(told)


def differences(source: Path, seams: Sequence[Seam]) -> Iterator[str]:
    """What is not as it was, in words.

    :param source: folder that holds the package: site-packages, or an unpacked wheel
    """
    for seam in seams:
        if (told := seam.difference(source)) is not None:
            yield told


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise OperationalException(f"The sources of {package} are not to be found.")
    return Path(spec.origin).parent.parent
