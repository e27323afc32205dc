"""An executor for tests that stands for a cluster's queue: jobs are processes of this machine, but
Snakemake treats them as sent elsewhere, and starts itself in each.

Found by Snakemake through PYTHONPATH, as `--executor elsewhere`. What was submitted is written to
submitted.jsonl in the working folder: the rules of each job and its resources. Tries no queue's
commands.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=0,
)
SUBMITTED = Path("submitted.jsonl")


class Executor(RemoteExecutor):
    """Starts each job at once."""

    def run_job(self, job: JobExecutorInterface) -> None:
        """Start a job and note what was asked for."""
        rules = [one.rule.name for one in getattr(job, "jobs", [job])]
        asked = {key: value for key, value in job.resources.items() if not key.startswith("_")}
        with SUBMITTED.open("a", encoding="utf-8") as log:
            row = {"rules": rules, "threads": job.threads, "resources": asked}
            log.write(json.dumps(row, default=str) + "\n")
        process = subprocess.Popen(self.format_job_exec(job), shell=True)
        info = SubmittedJobInfo(job, external_jobid=str(process.pid), aux={"process": process})
        self.report_job_submission(info)

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Yield the jobs that still run; report the others."""
        for info in active_jobs:
            code = info.aux["process"].poll()
            if code is None:
                yield info
            elif code:
                self.report_job_error(info)
            else:
                self.report_job_success(info)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """End the jobs that run."""
        for info in active_jobs:
            info.aux["process"].terminate()

    def get_exec_mode(self) -> Any:
        """Of the Snakemake that each job starts."""
        from snakemake_interface_executor_plugins.settings import ExecMode

        return ExecMode.REMOTE
