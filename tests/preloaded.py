"""`freqtrade` and `bubbybot` of a shell, loaded once: a command line is a fork of one process.

What a user types stays as it is typed: the programs in PATH are clients of a few lines, which hand
arguments, folder, environment and the three streams over and end as the fork ends (killed without
a word they leave it). That the installed programs themselves work is for
tests/new_user/test_wheel.py and test_new_user.py.

Run as a script it is that process: ``python preloaded.py SOCKET``.
"""

import array
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLIENT = """#!{python} -IS
import array, json, os, signal, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect({address!r})
asked = {{"program": os.path.basename(sys.argv[0]), "arguments": sys.argv[1:],
          "folder": os.getcwd(), "environment": dict(os.environ)}}
body = json.dumps(asked).encode()
streams = array.array("i", [0, 1, 2])
door.sendmsg([len(body).to_bytes(8, "big")],
             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams.tobytes())])
door.sendall(body)
answers = door.makefile()
process = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(process, number))
sys.exit(int(answers.readline()))
"""


@contextmanager
def preloaded(programs: Path, names: tuple[str, ...]) -> Iterator[None]:
    """Put clients with these names into the folder `programs`, as long as it lasts."""
    # A socket's path is a hundred characters at most.
    home = tempfile.mkdtemp()
    address = f"{home}/door"
    # How wide a log is, and where it goes, is for each command's own environment to say.
    not_its = ("FREQTRADE", "PYTEST", "COLUMNS", "LINES")
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(not_its)},
    )
    try:
        assert server.stdout.readline() == "ready\n"
        for name in names:
            client = programs / name
            client.write_text(_CLIENT.format(python=sys.executable, address=address))
            client.chmod(0o755)
        yield
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(home)


def _serve(address: str) -> None:
    # Loaded once, for all of them; freqtrade leaves its log as it is where it sees pytest.
    import freqtrade.commands
    import freqtrade.freqtradebot
    import freqtrade.main

    import bubbybot_freqtrade.cli
    import bubbybot_freqtrade.seams.start
    import bubbybot_freqtrade.strategy.bubbybot

    for command in bubbybot_freqtrade.cli.COMMANDS.values():
        importlib.import_module(command.partition(":")[0])
    # Reads freqtrade's sources, once a process.
    bubbybot_freqtrade.seams.start.refuse_unknown()
    # A collector that walks through all of that in a fork, above all at its end, copies it: a
    # second of the processor for each command.
    gc.freeze()
    programs = {"freqtrade": freqtrade.main.main, "bubbybot": bubbybot_freqtrade.cli.main}
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            client, _ = door.accept()
            length, ancillary, *_ = client.recvmsg(8, socket.CMSG_SPACE(3 * 4))
            streams = array.array("i")
            streams.frombytes(ancillary[0][2][: 3 * 4])
            asked = json.loads(_read(client, int.from_bytes(length, "big")))
            process = os.fork()
            if process == 0:
                door.close()
                client.close()
                _become(asked, list(streams))
                programs[asked["program"]](asked["arguments"])
                sys.exit(0)
            for stream in streams:
                os.close(stream)
            threading.Thread(target=_tell_its_end, args=(client, process), daemon=True).start()


def _read(client: socket.socket, length: int) -> bytes:
    body = b""
    while len(body) < length:
        body += client.recv(length - len(body))
    return body


def _become(asked: dict, streams: list[int]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [asked["program"], *asked["arguments"]]


def _tell_its_end(client: socket.socket, process: int) -> None:
    with client:
        client.sendall(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    _serve(sys.argv[1])
