"""Run freqtrade's command lines, each in a process of its own that has freqtrade loaded already.

Reads ``{name: arguments}`` from the file that is the first argument; writes ``NAME.log`` and
``exit_codes.json`` beside it. Not ``python -m freqtrade``, which ends with 0 after any error.
"""

import json
import multiprocessing
import os
import sys
from pathlib import Path

# Loaded once, for all of them.
from freqtrade.main import main

import bubbybot_freqtrade.strategy.bubbybot  # noqa: F401


def run(arguments: list[str], log: str) -> None:
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    main(arguments)


if __name__ == "__main__":
    listed = Path(sys.argv[1])
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in ways else "spawn")
    codes = {}
    for name, arguments in json.loads(listed.read_text()).items():
        log = str(listed.with_name(f"{name}.log"))
        process = context.Process(target=run, args=(arguments, log))
        process.start()
        process.join()
        codes[name] = process.exitcode
    listed.with_name("exit_codes.json").write_text(json.dumps(codes))
