"""Hands a program of the workflow, or Snakemake, to the fork server; other programs run as ever.

Python runs this file first of all where PYTHONPATH names its folder. Knows nothing of what a
program does; fork_server.py is the other end.
"""

import os
import sys


def _hand_over(address: str, words: list[str]) -> None:
    """Let the server's child run these words with this process's files, and end as it ends."""
    import json
    import signal
    import socket

    told = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        text = json.dumps(told).encode()
        socket.send_fds(server, [len(text).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(text)
        # Passed on: a program may have something to do before it ends.
        signal.signal(signal.SIGTERM, lambda number, _: server.sendall(bytes([number])))
        answer = server.recv(1)
    os._exit(answer[0] if answer else 1)


_words = sys.orig_argv[1:]
if _words and os.path.basename(_words[0]) == "snakemake":  # the program of that name
    _words[:1] = ["-m", "snakemake"]
if "FORK_SERVER" in os.environ and (
    _words[:2] == ["-m", "snakemake"] or (_words and _words[0].startswith("scripts/"))
):
    _hand_over(os.environ["FORK_SERVER"], _words)
