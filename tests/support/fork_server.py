"""A process that has imported what programs need, and forks for each that is to be run.

Importing torch, diffusers, peft and Snakemake takes most of the time of jobs that only make tiny
files. The programs, their arguments, files and exit codes are the real ones; kindred itself is
imported by each from its own folder. Whoever kills a program must start it without the server.

    python fork_server.py SOCKET
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

FORKED = Path(__file__).parent / "forked"
MODULES = (
    "snakemake.cli",
    "scipy.stats",
    "PIL.ImageDraw",
    "jinja2",
    "matplotlib.figure",
    "torch",
    "transformers.models.t5.modeling_t5",
    "transformers.models.clip.modeling_clip",
    "diffusers.models.transformers.transformer_flux",
    "diffusers.pipelines.flux.pipeline_flux",
    "peft",
)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """A server for this process's tests; yields what its clients need in their environment."""
    address = folder / "socket"
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen([sys.executable, __file__, str(address)], stdout=log, stderr=log)
    try:
        while not address.exists():
            assert server.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.05)
        yield {"FORK_SERVER": str(address), "PYTHONPATH": str(FORKED)}
    finally:
        server.terminate()
        server.wait(30)


def serve(address: str) -> None:
    """Fork for every client, for ever."""
    for module in MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # so that children share these pages
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address + ".new")
        server.listen(64)
        os.rename(address + ".new", address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            client, _ = server.accept()
            with client:
                if os.fork() == 0:
                    server.close()
                    _attend(client)


def _attend(client: socket.socket) -> None:
    """In a child: run what the client asks for in a grandchild, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(client, 8, 3)
    told = json.loads(_received(client, int.from_bytes(size, "big")))
    program = os.fork()
    if program == 0:
        client.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        _become(told["words"], told["folder"], told["environment"])
    for file in files:
        os.close(file)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    client.sendall(bytes([code % 256]))
    os._exit(0)


def _received(client: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += client.recv(size - len(content))
    return content


def _become(words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run `-m module ...` or `script.py ...` as Python would, and end the process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    gc.enable()
    code: object = 0
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], folder
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    serve(sys.argv[1])
