"""A process that has imported what programs need, and forks for each that is to be run.

Importing torch, diffusers, peft and Snakemake takes most of the time of jobs that only make tiny
files. The programs, their arguments, files and exit codes are the real ones; kindred itself is
imported by each from its own folder, unless that is the repository's unchanged (preloaded.py). A
program ends with the process that asked for it, so that whoever kills that has killed the program.

    python fork_server.py SOCKET LEASE
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import marshal
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from preloaded import Library

FORKED = Path(__file__).parent / "forked"
# Some of it Snakemake would import by and by, in every process anew.
MODULES = (
    "snakemake.cli",
    "snakemake.benchmark",
    "snakemake.profiles",
    "snakemake.report",
    "snakemake.storage",
    "smart_open",
    "yte",
    "dpath",
    "optparse",
    "graphlib",
    "platformdirs",
    "pydantic.functional_serializers",
    "pillow_heif",
    "simplejpeg",
    "scipy.stats",
    "PIL.ImageDraw",
    "jinja2",
    "matplotlib.figure",
    "matplotlib.backends.backend_svg",
    "torch",
    "transformers.conversion_mapping",
    "transformers.models.t5.modeling_t5",
    "transformers.models.clip.modeling_clip",
    "diffusers.models.transformers.transformer_flux",
    "diffusers.pipelines.flux.pipeline_flux",
    "peft",
)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Yield what clients of the server need in their environment. It is started by whichever of the
    test processes that share `folder` comes first, and ends when all of them have ended."""
    address, lease = folder / "socket", folder / "lease"
    with open(lease, "w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not address.exists():
                _start(folder, address, lease)
        yield {"FORK_SERVER": str(address), "PYTHONPATH": str(FORKED)}


def _start(folder: Path, address: Path, lease: Path) -> None:
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, __file__, str(address), str(lease)], stdout=log, stderr=log
        )
    while not address.exists():
        assert server.poll() is None, (folder / "server.log").read_text()
        time.sleep(0.05)


def serve(address: str, lease: str) -> None:
    """Fork for every client, until nobody holds the lease."""
    for module in MODULES:
        importlib.import_module(module)
    sys.modules["PIL.Image"].preinit()
    sys.modules["snakemake.cli"].get_argument_parser()  # looks through all packages for plugins
    # Hundreds of patterns, which every process that loads a text encoder would compile.
    sys.modules["transformers.conversion_mapping"].get_checkpoint_conversion_mapping("")
    library = Library()
    gc.collect()
    gc.freeze()  # so that children share these pages
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address + ".new")
        server.listen(64)
        server.settimeout(1.0)
        os.rename(address + ".new", address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while _is_held(lease):
            with contextlib.suppress(TimeoutError):
                client, _ = server.accept()
                with client:
                    if os.fork() == 0:
                        server.close()
                        client.settimeout(None)
                        _attend(client, library)


def _is_held(lease: str) -> bool:
    try:
        with open(lease) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # the tests' folder is gone
        return False
    return False


def _attend(client: socket.socket, library: Library) -> None:
    """In a child: run what the client asks for in a grandchild, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(client, 8, 3)
    told = marshal.loads(_received(client, int.from_bytes(size, "big")))
    program = os.fork()
    if program == 0:
        client.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        library.go_to(Path(told["folder"]))
        _become(told["words"], told["folder"], told["environment"])
    for file in files:
        os.close(file)
    ended = os.pidfd_open(program)
    while ended not in select.select([ended, client], [], [])[0]:
        told_to_end = client.recv(1)  # b"" where the client has been killed: it says nothing more
        os.kill(program, told_to_end[0] if told_to_end else signal.SIGKILL)
        if not told_to_end:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with contextlib.suppress(BrokenPipeError):
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
    own = folder if words[0] == "-m" else str(Path(words[0]).resolve().parent)
    told = environment.get("PYTHONPATH", "").split(os.pathsep)
    others = [path for path in told if path and Path(path) != FORKED]
    sys.path[:1] = [own, *others]
    if others:  # Snakemake looked for plugins when it was imported
        registry = importlib.import_module("snakemake_interface_executor_plugins.registry")
        registry.ExecutorPluginRegistry().collect_plugins()
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
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
    serve(*sys.argv[1:])
