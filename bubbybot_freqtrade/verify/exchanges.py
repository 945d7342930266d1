"""What was said to the venue and what it answered, with nothing secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MASK = "***"
# Fields of answers that name the account or its owner.
_PRIVATE_FIELDS = frozenset(
    {"apiKey", "apiName", "uid", "parentUid", "ips", "ip", "referralCode", "sign", "passphrase"}
)
_ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\b")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, masked. `status` 0 and `answer` a reason when none came."""

    at_ms: int
    method: str
    path: str
    request: Any
    status: int
    answer: Any


@dataclass(slots=True)
class Exchanges:
    """All of a run, oldest first. `secrets` are texts that are masked wherever they stand."""

    secrets: frozenset[str] = frozenset()
    kept: list[Exchange] = field(default_factory=list)

    def hide(self, texts: Iterable[str]) -> None:
        """Mask these too, in what is kept already as well."""
        self.secrets |= {text for text in texts if text}
        self.kept = [
            Exchange(
                old.at_ms,
                old.method,
                self.masked(old.path),
                self.masked(old.request),
                old.status,
                self.masked(old.answer),
            )
            for old in self.kept
        ]

    def keep(
        self, at_ms: int, method: str, path: str, request: Any, status: int, answer: Any
    ) -> None:
        """Record one; headers, and with them key and signature, are never taken."""
        path, request, answer = map(self.masked, (path, request, answer))
        self.kept.append(Exchange(at_ms, method, path, request, status, answer))

    def masked(self, value: Any) -> Any:
        """`value` with secrets, private fields and IP addresses replaced."""
        if isinstance(value, Mapping):
            return {
                name: MASK if name in _PRIVATE_FIELDS and inner else self.masked(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.masked(inner) for inner in value]
        return self._masked_text(value) if isinstance(value, str) else value

    def _masked_text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return _ADDRESS.sub(MASK, text)
