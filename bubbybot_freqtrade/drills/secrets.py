"""Keys of a drill's account, and the search for them in everything a bot leaves behind."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from pathlib import Path

from bubbybot_freqtrade.sandbox.settings import ApiKey

_HEX = "0123456789abcdef"


def drill_key(seed: int, **changes: object) -> ApiKey:
    """A key that looks like one of BloFin's and occurs nowhere else."""
    draw = random.Random(f"key {seed}")  # noqa: S311 - opens a server on loopback, nothing else

    def text(length: int) -> str:
        return "".join(draw.choices(_HEX, k=length))

    given: dict[str, object] = {
        "api_key": f"k{text(31)}",
        "secret": f"s{text(31)}",
        "passphrase": f"Pass{text(12)}",
    }
    return ApiKey.model_validate(given | changes)


def environment(key: ApiKey) -> dict[str, str]:
    """The variables by which freqtrade is given a key."""
    return {
        "FREQTRADE__EXCHANGE__KEY": key.api_key,
        "FREQTRADE__EXCHANGE__SECRET": key.secret,
        "FREQTRADE__EXCHANGE__PASSWORD": key.passphrase,
    }


def leaks(folder: Path, keys: Iterable[ApiKey], texts: Iterable[str] = ()) -> list[str]:
    """Where a key, secret or passphrase stands: in a file below `folder` or in one of `texts`.

    Plain and in base64, the form in which headers would carry it.
    """
    needles = {
        form: f"{name} of the API key"
        for key in keys
        for name, value in (
            ("key", key.api_key),
            ("secret", key.secret),
            ("passphrase", key.passphrase),
        )
        for form in (value.encode(), base64.b64encode(value.encode()).rstrip(b"="))
    }
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found += [
            f"{what} stands in {file.name}" for form, what in needles.items() if form in content
        ]
    for text in texts:
        found += [f"{what} is told" for form, what in needles.items() if form in text.encode()]
    return found
