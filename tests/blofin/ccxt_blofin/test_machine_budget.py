"""Programs of one machine keep to the venue's limits together."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bubbybot_freqtrade.blofin.ccxt_blofin import machine_budget
from bubbybot_freqtrade.blofin.ccxt_blofin.machine_budget import MachineBudget

VENUE = "http://127.0.0.1:1/of-the-test"
# Long, so that nothing comes free while a slow machine runs the test.
LONG = ((10_000.0, 40),)

PROGRAM = """
import json, sys, tempfile
tempfile.tempdir = sys.argv[1]
from bubbybot_freqtrade.blofin.ccxt_blofin.machine_budget import MachineBudget
budget = MachineBudget(sys.argv[2], ((10_000.0, 40),))
print("ready", flush=True)
sys.stdin.readline()
taken = [budget.claim(for_candles=True) for _ in range(30)]
print(json.dumps(taken.count(0.0)), flush=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A machine of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def file_of(folder) -> Path:
    (file,) = folder.glob("bubbybot-requests-*/*")
    return file


def other(count):
    """Requests of another program."""
    own, machine_budget._OWN = machine_budget._OWN, 1
    try:
        return [MachineBudget(VENUE, LONG).claim() for _ in range(count)]
    finally:
        machine_budget._OWN = own


def test_four_programs_together_send_no_more_than_one_may_and_leave_room_for_orders(folder):
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), VENUE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.stdin.write("go\n")
        program.stdin.flush()
    taken = [json.loads(program.communicate(timeout=60)[0]) for program in programs]
    # A tenth is left of what candles are asked with.
    assert sum(taken) == 36
    budget = MachineBudget(VENUE, LONG)
    assert budget.free(0.0) == 0
    assert [budget.claim() for _ in range(4)] == [0.0] * 4
    assert budget.claim() > 0


def test_one_program_alone_uses_all_and_what_was_refused_takes_no_place():
    budget = MachineBudget(VENUE, LONG)
    assert budget.free(0.25) == 30
    assert {budget.claim(for_candles=True) for _ in range(40)} == {0.0}
    assert {budget.claim() for _ in range(5)} == {machine_budget.LONGEST_PAUSE}
    assert budget.free(0.0) == 0
    assert other(1) == [machine_budget.LONGEST_PAUSE]


def test_a_place_is_free_again_when_its_window_is_over(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(machine_budget.time, "monotonic", lambda: now[0])
    budget = MachineBudget(VENUE, ((10.0, 2), (100.0, 3)))
    assert [budget.claim(), budget.claim()] == [0.0, 0.0]
    now[0] = 1009.5
    assert budget.claim() == pytest.approx(0.5)
    now[0] = 1010.5
    assert budget.claim() == 0.0
    now[0] = 1099.0
    assert budget.claim() == pytest.approx(1.0)
    now[0] = 1100.5
    assert budget.claim() == 0.0


def test_a_program_that_starts_again_knows_what_it_has_sent():
    assert other(40) == [0.0] * 40
    assert MachineBudget(VENUE, LONG).claim() > 0
    assert MachineBudget("http://127.0.0.1:2", LONG).claim() == 0.0


def test_times_of_before_the_machine_started_do_not_count(monkeypatch):
    monkeypatch.setattr(machine_budget.time, "monotonic", lambda: 1e7)
    assert other(40) == [0.0] * 40
    monkeypatch.setattr(machine_budget.time, "monotonic", lambda: 60.0)
    assert MachineBudget(VENUE, LONG).claim() == 0.0


def test_websockets_are_opened_one_after_the_other_and_nobody_waits_for_a_late_one(monkeypatch):
    monkeypatch.setattr(machine_budget.time, "monotonic", lambda: 50.0)
    budgets = [MachineBudget(VENUE, LONG) for _ in range(3)]
    assert budgets[0].take_turn(30.0, 1.0) == 30.0
    assert budgets[1].take_turn(0.0, 1.0) == 0.0
    assert budgets[2].take_turn(0.0, 1.0) == 1.0
    assert budgets[1].take_turn(29.5, 1.0) == 31.0


def spoil(folder, how):
    MachineBudget(VENUE, LONG).claim()
    file = file_of(folder)
    if how == "half a row":
        file.write_bytes(b"1234567")
    elif how == "no numbers":
        file.write_bytes(b"\xff" * 160)
    else:
        file.unlink()
        file.mkdir()


@pytest.mark.parametrize("how", ["half a row", "no numbers", "a folder"])
def test_a_spoiled_file_stops_nobody(folder, how):
    spoil(folder, how)
    assert MachineBudget(VENUE, LONG).claim() == 0.0


def test_without_a_file_of_its_own_each_keeps_to_the_limits_alone_and_says_so_once(folder, caplog):
    spoil(folder, "a folder")
    budget = MachineBudget(VENUE, LONG)
    assert [budget.claim() for _ in range(50)] == [0.0] * 50
    assert budget.free(0.0) is None
    turns = [budget.take_turn(2.5, 10.0) for _ in range(2)]
    assert turns == pytest.approx([2.5, 12.5], abs=1.0)
    (told,) = caplog.messages
    assert "keeps to BloFin's limits for itself alone" in told


def test_somebody_elses_folder_is_not_trusted(folder, caplog):
    MachineBudget(VENUE, LONG).claim()
    theirs = file_of(folder).parent
    real = theirs.rename(theirs.with_name("elsewhere"))
    theirs.symlink_to(real)
    assert MachineBudget(VENUE, LONG).free(0.0) is None
    assert "not this user's folder" in caplog.text


def test_a_program_that_was_halted_while_it_held_the_file_halts_nobody(folder, caplog, monkeypatch):
    now = [1000.0]

    def sleep(seconds):
        now[0] += seconds

    monkeypatch.setattr(machine_budget.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(machine_budget.time, "sleep", sleep)
    budget = MachineBudget(VENUE, LONG)
    assert budget.claim() == 0.0
    with file_of(folder).open("rb") as held:
        machine_budget.fcntl.flock(held, machine_budget.fcntl.LOCK_EX)
        assert [budget.claim() for _ in range(50)] == [0.0] * 50
    # One of them has waited.
    assert now[0] == pytest.approx(1000 + machine_budget.LOCK_SECONDS, abs=0.01)
    assert "does not let go of the file" in caplog.text
    assert budget.free(0.0) is None
    now[0] += machine_budget.ALONE_SECONDS
    assert budget.free(0.0) == 39


def test_files_of_venues_that_nobody_asks_any_more_are_removed(folder):
    MachineBudget(VENUE, LONG).claim()
    file = file_of(folder)
    machine_budget.forget_old_files()
    assert file.exists()
    old = time.time() - machine_budget.FORGOTTEN_SECONDS - 60
    os.utime(file, (old, old))
    machine_budget.forget_old_files()
    assert not file.exists()


def test_on_windows_each_keeps_to_the_limits_alone(folder, monkeypatch):
    monkeypatch.setattr(machine_budget, "fcntl", None)
    monkeypatch.delattr(os, "getuid")
    machine_budget.forget_old_files()
    assert MachineBudget(VENUE, LONG).claim() == 0.0
    assert MachineBudget(VENUE, LONG).free(0.0) is None
    assert list(folder.iterdir()) == []
