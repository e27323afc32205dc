"""Hands a program of the workflow, or Snakemake, to the fork server; other programs run as ever.

Python runs this file first of all where PYTHONPATH names its folder. Knows nothing of what a
program does; fork_server.py is the other end.
"""

import os
import sys


def _hand_over(address: str, words: list[str]) -> None:
    """Let the server's child run these words with this process's files, and end as it ends."""
    # What `socket`, `signal` and `json` are made of; these import more than Python itself does.
    import _signal
    import _socket
    import marshal

    told = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(address)
    content = marshal.dumps(told)
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)
    server.sendmsg([len(content).to_bytes(8, "big")], [rights])
    server.sendall(content)
    # Passed on: a program may have something to do before it ends.
    _signal.signal(_signal.SIGTERM, lambda number, _: server.sendall(bytes([number])))
    answer = server.recv(1)
    os._exit(answer[0] if answer else 1)


_words = sys.orig_argv[1:]
if _words and os.path.basename(_words[0]) == "snakemake":  # the program of that name
    _words[:1] = ["-m", "snakemake"]
if "FORK_SERVER" in os.environ and (
    _words[:2] == ["-m", "snakemake"] or (_words and _words[0].startswith("scripts/"))
):
    _hand_over(os.environ["FORK_SERVER"], _words)
