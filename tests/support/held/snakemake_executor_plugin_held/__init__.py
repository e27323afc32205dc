"""A cluster of this machine whose queue stands still until a file named `release` is there.

Snakemake finds it as `--executor held` where its folder is in PYTHONPATH. What it starts is the
command line that Snakemake would submit.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

FORKING = ("FORK_SERVER", "PYTHONPATH")  # the tests', and nothing that a job could miss

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=True,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=0,
)


class Executor(RemoteExecutor):
    """Runs jobs as processes, in an environment that has nothing of Snakemake's main process but
    what it declares."""

    def __post_init__(self) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def run_job(self, job) -> None:
        """Submit: the process waits for the release, then runs the job."""
        command = self.format_job_exec(job)
        Path("submitted").write_text(command, encoding="utf-8")
        wait = "until [ -e release ]; do sleep 0.05; done; "
        forking = {name: os.environ[name] for name in FORKING if name in os.environ}
        own = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"} | forking
        settings = [f"{name}={value}" for name, value in own.items()]
        info = SubmittedJobInfo(job, external_jobid=str(job.jobid))
        self.running[info.external_jobid] = subprocess.Popen(
            ["env", "-i", *settings, "bash", "-c", wait + command]
        )
        self.report_job_submission(info)

    async def check_active_jobs(self, active_jobs):
        """Report what has ended; yield the rest."""
        time.sleep(0.1)
        for info in active_jobs:
            status = self.running[info.external_jobid].poll()
            if status is None:
                yield info
            elif status == 0:
                self.report_job_success(info)
            else:
                self.report_job_error(info)

    def cancel_jobs(self, active_jobs) -> None:
        """End the processes."""
        for info in active_jobs:
            self.running[info.external_jobid].kill()
        self.shutdown()
