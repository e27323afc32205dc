import logging
import subprocess
import sys

from snakemake.logging import ColorizingTextHandler

from kindred.workflow import told_once

FIRST, LISTED = "error: a: is wrong. Mend it.\n", "error: 2 problems found:\n  - b\n  - c\n"
TRACE = FIRST + "Traceback:\n  File\n"


def test_the_mistake_that_a_job_ends_in_is_kept_from_the_terminal(tmp_path):
    command = [sys.executable, "-IS", told_once.__file__, "-i", tmp_path / "log"]
    for shown, held in ("  1/2\n", LISTED), ("", FIRST + LISTED), (TRACE, ""):
        given = shown + held
        assert subprocess.run(command, input=given, capture_output=True, text=True).stdout == shown
        assert (tmp_path / "log").read_text() == given
        assert told_once.mistake_in(given + held) == held.rstrip()


def test_where_the_log_can_not_be_written_all_is_shown():
    command = [sys.executable, "-IS", told_once.__file__, "-i", "/dev/full"]
    ended = subprocess.run(command, input=FIRST + LISTED, capture_output=True, text=True)
    assert ended.stdout == f"{FIRST}{LISTED}/dev/full can't be written: No space left on device\n"
    assert ended.returncode == 1


def test_each_message_is_told_once_and_last(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    handler = ColorizingTextHandler(stream=sys.stderr)
    handler.name = "DefaultStreamHandler"
    logger = logging.Logger("snakemake")
    logger.addHandler(handler)
    assert told_once.tell_once(logger)

    def fails(number, log):
        (tmp_path / str(number)).write_text(log)
        more = {"jobid": number, "rule_name": "train", "log": [str(number)]}
        logger.error("Error in rule", extra={"event": "job_error", **more})
        return more

    logger.info("Some jobs were triggered by provenance information, use '--rerun-triggers mtime'")
    said = capsys.readouterr().err
    assert "run again because settings, code or files changed" in said and "mtime" not in said
    logger.info("", extra={"event": "job_info", "jobid": 1, "rule_msg": "photos"})
    logger.error("CalledProcessError in file x\n non-zero exit status 1.", extra={"event": "error"})
    for number, log in enumerate((LISTED, LISTED, FIRST), start=1):
        fails(number, log)
    logger.info("Finished", extra={"event": "job_finished", "job_id": 3})
    said = capsys.readouterr().err
    assert "Job 1 failed: photos (1)" in said and "Error" not in said
    members = [fails(4, TRACE), fails(5, FIRST)]
    assert "Error in rule" in capsys.readouterr().err
    logger.error("Error in group", extra={"event": "group_error", "job_error_info": members})
    fails(4, TRACE)
    logger.error("At least one job did not complete successfully.")
    said = capsys.readouterr().err
    assert said.endswith(f"photos (1), train (2):\n{LISTED}\ntrain (5):\n{FIRST}")
    assert "Error" not in said
