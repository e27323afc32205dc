"""A download to a computer without a GPU is told before it begins, and can be wanted."""

from __future__ import annotations

import pytest
import shipped_config

from kindred.common import commands
from kindred.common.errors import KindredError
from kindred.config.device_config import DeviceConfig
from kindred.specs.base_model import Base
from kindred.workflow import downloads

MODEL = "black-forest-labs/FLUX.2-klein-base-4B"
BASES = {"klein-4b": Base(model=MODEL, architecture="klein"), "lab": Base(model="lab/base")}
NEEDED = ["", f"klein 3 {MODEL}@main", "flux1 2 lab/base@0123456789ab"]


@pytest.fixture
def check(tmp_path, monkeypatch):
    """The check, in an empty cache on a computer with these GPUs."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def check(kind="auto", gpus=(), needed=NEEDED):
        monkeypatch.setattr(downloads, "gpus_visible", lambda: list(gpus))
        device = DeviceConfig(kind=kind)
        downloads.check_downloads(device, BASES, iter(needed), shipped_config.ROOT)

    return check


def test_what_would_be_downloaded_and_what_to_do_is_told(check, monkeypatch):
    monkeypatch.setenv(commands.VARIABLE, "ours")
    with pytest.raises(KindredError) as caught:
        check()
    said = str(caught.value)
    assert "no GPU was found here, so this would download klein-4b (15 GiB) and" in said
    assert "run `snakemake --config experiments=ours 'device={kind: cpu}'`" in said


def test_who_has_a_gpu_or_the_base_or_wants_it_so_is_not_stopped(check, tmp_path):
    check(gpus=["0"])
    check(kind="cpu")
    check(kind="cuda")  # of a cluster's nodes, or of another computer with the same files
    check(needed=NEEDED[::2])
    file = tmp_path / f"models--{MODEL.replace('/', '--')}/snapshots/abc/transformer/config.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    check()
