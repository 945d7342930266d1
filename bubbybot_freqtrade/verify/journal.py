"""What a run is about to do, on disk before it does it; so that nothing can be forgotten.

One JSON object a line. A line is on the disk before the request it announces leaves: after a kill
at any moment the file names every order that may exist. It is deleted when all is taken away.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

FILE_NAME = "journal.jsonl"
# Orders of verify, and of nobody else: the bot's own are spelled otherwise.
PREFIX = "bbverify"
POSITION_MODE = "position mode"


class JournalError(RuntimeError):
    """A journal that cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose remains a journal is about. `owner` is a digest of the account's uid, not the uid."""

    host: str
    owner: str


@dataclass(frozen=True, slots=True)
class Intent:
    """An order, TP/SL, trailing stop or closing that may have been sent.

    kind: `order`, `tpsl`, `algo`. side: buy or sell. size: contracts, "-1" for the whole position.
    stop and target: its trigger prices, by which a TP/SL that carries no id of ours is known.
    """

    kind: str
    client_order_id: str
    inst_id: str
    side: str
    position_side: str
    size: str
    at_ms: int
    stop: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the account that was changed, and the request that gives it back.

    name: `POSITION_MODE`, or `leverage` and the position side.
    """

    name: str
    path: str
    restore: dict[str, str]


@dataclass(slots=True)
class Journal:
    """The file and what it says. `learned`: TP/SL and algo orders by the venue's id, and their
    intent's.
    """

    file: Path
    account: Account
    intents: dict[str, Intent] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    learned: dict[str, str] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    _descriptor: int | None = None

    @classmethod
    def open(cls, folder: Path, account: Account) -> Journal:
        """The journal of `folder`, with what an earlier run has left in it.

        :raises JournalError: when it is another account's, another run's, or cannot be written
        """
        journal = cls(folder / FILE_NAME, account)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = _lines(journal.file)
            for line in lines:
                journal._take(line)
            journal._descriptor = os.open(
                journal.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            if lines:
                # A line that a kill cut off would swallow the next one.
                os.write(journal._descriptor, b"\n")
            journal._write({"run": {**asdict(account), **_process()}})
            _sync_folder(folder)
        except OSError as error:
            raise JournalError(
                f"{journal.file} cannot be written ({error.strerror}): name another folder with "
                "--out. Nothing is sent without it."
            ) from error
        except (LookupError, TypeError) as error:
            raise JournalError(
                f"{journal.file} is no journal of this version of verify. Cancel in the app what "
                f"has a clientOrderId that begins with {PREFIX}, then delete the file."
            ) from error
        return journal

    @property
    def holds_something(self) -> bool:
        """True when an order of ours may exist, or a setting is not as it was."""
        return bool(self.unsettled or self.settings)

    @property
    def unsettled(self) -> list[Intent]:
        """Intents of which is not known that nothing is left, oldest first."""
        return [i for i in self.intents.values() if i.client_order_id not in self.settled]

    def new_id(self) -> str:
        """A clientOrderId of verify: at most 32 letters and digits, never used before."""
        return PREFIX + secrets.token_hex(11)

    def intend(self, intent: Intent) -> None:
        """About to be sent."""
        self._write({"intent": asdict(intent)})
        self.intents[intent.client_order_id] = intent

    def change(self, setting: Setting) -> None:
        """About to be changed; the first value of a setting is the one to give back."""
        if any(known.name == setting.name for known in self.settings):
            return
        self._write({"setting": asdict(setting)})
        self.settings.append(setting)

    def answered(self, client_order_id: str, code: str) -> None:
        """What the venue said of an intent, "0" for accepted."""
        self._write({"outcome": [client_order_id, code]})
        self.outcomes[client_order_id] = code

    def learn(self, tpsl_id: str, client_order_id: str) -> None:
        """A TP/SL or algo order that came of one of ours."""
        if tpsl_id not in self.learned:
            self._write({"learned": [tpsl_id, client_order_id]})
            self.learned[tpsl_id] = client_order_id

    def settle(self) -> None:
        """Nothing is left of all intents so far. Their ids are kept: a TP/SL may come late."""
        ids = [intent.client_order_id for intent in self.unsettled]
        if ids:
            self._write({"settled": ids})
            self.settled.update(ids)

    def restored(self, setting: Setting) -> None:
        """A setting is as it was."""
        self._write({"restored": setting.name})
        self.settings.remove(setting)

    def close(self) -> None:
        """End; the file goes when nothing is left."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if not self.holds_something:
            self.file.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        assert self._descriptor is not None  # noqa: S101 - written between open and close
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")
        os.fsync(self._descriptor)

    def _take(self, line: dict[str, Any]) -> None:
        match line:
            case {"run": run}:
                self._check_run(run)
            case {"intent": intent}:
                self.intents[intent["client_order_id"]] = Intent(**intent)
            case {"setting": setting}:
                self.settings.append(Setting(**setting))
            case {"outcome": [client_order_id, code]}:
                self.outcomes[client_order_id] = code
            case {"learned": [tpsl_id, client_order_id]}:
                self.learned[tpsl_id] = client_order_id
            case {"settled": ids}:
                self.settled.update(ids)
            case {"restored": name}:
                self.settings = [known for known in self.settings if known.name != name]

    def _check_run(self, run: dict[str, Any]) -> None:
        if (run["host"], run["owner"]) != (self.account.host, self.account.owner):
            raise JournalError(
                f"{self.file} is about another account, on {run['host']}: take away what is left "
                "there first, by bubbybot verify --clean with that account's config, or name "
                "another folder with --out."
            )
        if run["pid"] != os.getpid() and _is_running(run["pid"], run["started"]):
            raise JournalError(
                f"Another bubbybot verify is at work in {self.file.parent} (process "
                f"{run['pid']}): wait for its end."
            )


def _lines(file: Path) -> list[dict[str, Any]]:
    """The file's whole lines; one that a kill has cut off announced a request never sent."""
    if not file.exists():
        return []
    lines = []
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def _process() -> dict[str, Any]:
    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def _is_running(pid: int, started: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.Error:
        return False


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
