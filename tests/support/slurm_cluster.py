"""A real Slurm of three nodes on the loopback of this machine, for tests: munged, slurmctld and a
slurmd for each node, with two GPUs on two of them that do not exist.

Needs root, Debian's packages slurm-wlm and munge, and snakemake-executor-plugin-slurm. Jobs may use
more memory than they asked for unless it is said who watches it, and no accounts are kept.
Everything lies in one folder, nothing in /etc.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from waiting import until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")
PLUGIN = "snakemake_executor_plugin_slurm"
PLUGIN_FOLDER = Path(sys.prefix) / "slurm"  # where `make test-all` installs it, out of others' way
NODES, WITH_GPUS = ("k1", "k2", "k3"), ("k1", "k2")
# Memory and cores are counted, not plugged in: 4 CPUs a node whatever the machine has.
SETTINGS = """ClusterName=kindred
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ReturnToService=0
MpiDefault=none
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
{watched}AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,bf_continue,batch_sched_delay=0
GresTypes=gpu
JobRequeue=1
KillWait=5
SlurmdTimeout=10
MinJobAge=3600
PartitionName=cpu Nodes=k1,k2,k3 Default=YES MaxTime=60 DefaultTime=30 State=UP
PartitionName=gpu Nodes=k1,k2 Default=NO MaxTime=60 State=UP
"""
UNWATCHED = "TaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n"
# Who ends a job that goes over its memory: the kernel, or Slurm, which looks once a second.
WATCHED = {
    "": UNWATCHED,
    "cgroup": UNWATCHED.replace("task/none", "task/cgroup"),
    "polling": UNWATCHED.replace("gather/none", "gather/linux")
    + "JobAcctGatherFrequency=1\nJobAcctGatherParams=OverMemoryKill\n",
}
CGROUPS = Path("/sys/fs/cgroup/memory")  # version 1; version 2 was not tried
CGROUP = f"""CgroupPlugin=cgroup/v1
CgroupMountpoint={CGROUPS.parent}
IgnoreSystemd=yes
ConstrainRAMSpace=yes
"""


def plugin_paths() -> list[str]:
    """Folders for PYTHONPATH so that Snakemake finds its plugin; none where it is installed."""
    found = importlib.util.find_spec(PLUGIN) is not None
    return [] if found or not (PLUGIN_FOLDER / PLUGIN).is_dir() else [str(PLUGIN_FOLDER)]


def missing() -> str:
    """Why no Slurm can be brought up here; '' where it can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name)]
    if lacking:
        return f"no {', '.join(lacking)} here: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "Slurm's daemons are brought up by root"
    if importlib.util.find_spec(PLUGIN) is None and not plugin_paths():
        return f"no {PLUGIN}: make test-all, or pip install -r envs/requirements-slurm.txt"
    return ""


def unwatched(memory: str) -> str:
    """Why nobody can watch jobs' memory in this way here; '' where somebody can."""
    if memory != "cgroup" or (CGROUPS / "memory.limit_in_bytes").exists():
        return ""
    return f"no memory controller of cgroups, version 1, in {CGROUPS}"


@dataclass
class Cluster:
    """A Slurm that runs."""

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's commands need in theirs. `srun` comes first in PATH as a program that knows
        the cluster, because the plugin's job step takes every variable named SLURM_ from it."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def told(self, *command: str) -> str:
        """What a command of Slurm's says. Raises CalledProcessError where it fails."""
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def jobs(self, state: str = "all") -> list[dict[str, str]]:
        """Jobs by their `id`, `state`, `comment`, `folder`, `node` and `memory`, oldest first."""
        names = ("id", "state", "comment", "folder", "node", "memory")
        format = "--format=%i|%T|%k|%Z|%N|%m"
        lines = self.told("squeue", "--noheader", f"--states={state}", "--sort=i", format)
        return [dict(zip(names, line.split("|"), strict=True)) for line in lines.splitlines()]

    def hold(self) -> None:
        """Let no job start."""
        for partition in ("cpu", "gpu"):
            self.told("scontrol", "update", f"partitionname={partition}", "state=down")

    def release(self) -> None:
        """Let jobs start again."""
        for partition in ("cpu", "gpu"):
            self.told("scontrol", "update", f"partitionname={partition}", "state=up")

    def start(self, name: str, *command: str) -> None:
        """Start a daemon in a session of its own."""
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def lose(self, node: str) -> None:
        """A node is gone with all that ran there, and does not come back."""
        self.daemons.pop(f"slurmd-{node}").kill()
        self.told("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                of_node = process.environ().get("SLURMD_NODENAME") == node
                if of_node and str(self.folder) in process.environ().get("SLURM_CONF", ""):
                    process.kill()

    def wait(self, fact):
        """What `fact` returns as soon as it is true. Raises AssertionError if it never is."""
        outs = self.folder.glob("*.out")
        return until(fact, lambda: "\n".join(f.read_text(errors="replace")[-2000:] for f in outs))

    def end(self) -> None:
        """End every job, then the daemons."""
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--me"], env=os.environ | self.environment, timeout=20)
            time.sleep(1.0)
        for daemon in reversed(list(self.daemons.values())):
            daemon.terminate()
        for daemon in reversed(list(self.daemons.values())):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)


@contextmanager
def running(memory: str = "") -> Iterator[Cluster]:
    """Bring a cluster up, and down again. memory: who watches it, of WATCHED."""
    folder = Path(tempfile.mkdtemp(prefix="kindred-slurm-"))  # short: a socket's path
    cluster = Cluster(folder)
    try:
        _write(folder, memory)
        files = (f"--{name}={folder}/munge.{name}" for name in ("socket", "log-file", "seed-file"))
        key, pid = f"--key-file={folder}/munge.key", f"--pid-file={folder}/munge.pid"
        cluster.start("munged", "munged", "--foreground", "--force", key, pid, *files)
        cluster.wait((folder / "munge.socket").exists)
        cluster.start("slurmctld", "slurmctld", "-c", "-D")
        for node in NODES:
            cluster.start(f"slurmd-{node}", "slurmd", "-D", "-N", node)
        cluster.wait(lambda: _nodes_idle(cluster))
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)
        if memory == "cgroup":
            _remove_cgroups()


def _remove_cgroups() -> None:
    """What Slurm leaves behind of them; those in which something runs can't be removed."""
    for node in NODES:
        found = CGROUPS / f"slurm_{node}"
        folders = [path for path in found.rglob("*") if path.is_dir()]
        for path in [*sorted(folders, reverse=True), found]:
            with suppress(OSError):
                path.rmdir()


def _write(folder: Path, memory: str) -> None:
    """Settings, key and make-believe GPUs."""
    for name in ("state", "bin", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    folder.chmod(0o755)
    host, lines = os.uname().nodename.split(".")[0], []
    port, *ports = _free_ports(1 + len(NODES))
    for port_of_node, node in zip(ports, NODES, strict=True):
        gpus = "Gres=gpu:2" if node in WITH_GPUS else ""
        lines.append(
            f"NodeName={node} NodeAddr=127.0.0.1 NodeHostname={host} Port={port_of_node} "
            f"CPUs=4 RealMemory=8000 State=UNKNOWN {gpus}\n"
        )
    settings = SETTINGS.format(folder=folder, port=port, watched=WATCHED[memory]) + "".join(lines)
    (folder / "slurm.conf").write_text(settings, encoding="utf-8")
    if memory == "cgroup":
        (folder / "cgroup.conf").write_text(CGROUP, encoding="utf-8")
    # Without files slurmd counts no GPUs; with devices like /dev/null Slurm sets
    # CUDA_VISIBLE_DEVICES for a job as on a real node.
    names = f"NodeName={','.join(WITH_GPUS)} Name=gpu Flags=nvidia_gpu_env File={folder}/gpu[0-1]\n"
    (folder / "gres.conf").write_text(names, encoding="utf-8")
    for gpu in ("gpu0", "gpu1"):
        os.mknod(folder / gpu, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    srun = folder / "bin/srun"
    conf = folder / "slurm.conf"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens at, for another cluster may be up."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _nodes_idle(cluster: Cluster) -> bool:
    try:
        states = cluster.told("sinfo", "--noheader", "-N", "-o", "%T", "-p", "cpu").split()
    except subprocess.CalledProcessError:
        return False
    return states == ["idle"] * len(NODES)
