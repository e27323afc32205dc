"""Bases: identity by content, one component at a time, errors that say what to do."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub import errors as hub

from kindred.common.errors import KindredError
from kindred.models import identity, loading
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.opened_base import open_base
from kindred.specs.base_model import Base, TextEncoder


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return tiny_folder


def test_identity_of_a_repository_is_its_revision():
    assert identity.identity("owner/name", "abc", ("vae",)) == "owner/name@abc"
    assert identity.identity("owner/name", None, ("vae",)) == "owner/name@main"


def test_identity_of_a_folder_follows_its_content_by_part(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)

    def revision(where, parts):
        return identity.identity(str(where), None, parts).split("@")[-1]

    assert revision(copy, FLUX1.parts.folders("all")) == revision(
        folder, FLUX1.parts.folders("all")
    )
    (copy / "transformer/config.json").write_text("{}")
    assert revision(copy, FLUX1.parts.folders("all")) != revision(
        folder, FLUX1.parts.folders("all")
    )
    for parts in (FLUX1.parts.folders("image"), FLUX1.parts.folders("text")):
        assert revision(copy, parts) == revision(folder, parts)


def test_large_files_are_known_by_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "WHOLE_HASH_BYTES", 2**20)
    file = tmp_path / "weights"
    file.write_bytes(bytes(2**24))
    before = identity._file_hash(file)
    assert identity._file_hash(file) == before
    with open(file, "r+b") as handle:
        handle.write(b"other")
    assert identity._file_hash(file) != before


def test_components_load_frozen_in_the_bases_precision(folder):
    base = Base(model=str(folder), dtype="bfloat16", text_tokens=20)
    network = loading.load_transformer(base, "cpu")
    assert network.dtype is torch.bfloat16 and not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert loading.load_vae(base, "cpu").dtype is torch.float32
    tokenizer = loading.load_text_part(base.text_encoder(), "tokenizer_2", "cpu")
    t5 = loading.load_text_part(base.text_encoder(), "text_encoder_2", "cpu")
    assert t5.dtype is torch.bfloat16 and tokenizer("JRussell").input_ids
    clip = loading.load_text_part(base.text_encoder(), "text_encoder", "cpu")
    assert clip.dtype is torch.bfloat16
    assert open_base(base).scheduler["use_dynamic_shifting"]


@pytest.mark.parametrize("kind", ["nf4", "int8"])
def test_quantization_needs_a_gpu(folder, kind):
    base = Base(model=str(folder), quantization=kind)
    with pytest.raises(KindredError, match=f"{kind} needs a CUDA GPU"):
        loading.load_transformer(base, "cpu")
    with pytest.raises(KindredError, match=f"{kind} needs a CUDA GPU"):
        loading.load_text_part(base.text_encoder(), "text_encoder_2", "cpu")


def test_a_folder_that_is_no_base_and_one_that_is_broken(folder, tmp_path):
    with pytest.raises(KindredError, match="has no folder 'transformer'"):
        loading.load_transformer(Base(model=str(tmp_path), architecture="flux1"), "cpu")
    shutil.copytree(folder, tmp_path / "base")
    (tmp_path / "base/transformer/config.json").write_text("no json")
    with pytest.raises(KindredError, match="part transformer: can't be read"):
        loading.load_transformer(Base(model=str(tmp_path / "base")), "cpu")


ANSWER = SimpleNamespace(headers={}, request=None)  # all that the hub's errors read of it


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (hub.GatedRepoError("gated", response=ANSWER), "hf auth login"),
        (
            hub.RepositoryNotFoundError("none", response=ANSWER),
            "or run `hf auth login` if",
        ),
        (hub.RevisionNotFoundError("none", response=ANSWER), "Correct `revision:`"),
        (hub.LocalEntryNotFoundError("offline"), "on a machine without one"),
        (hub.OfflineModeIsEnabled("offline"), "on a machine without one"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_hub_errors_say_what_to_do(monkeypatch, error, advice):
    import huggingface_hub

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fails)
    with pytest.raises(KindredError) as caught:
        spec = TextEncoder(model="owner/name", revision="abc", architecture="flux1")
        loading.load_text_part(spec, "text_encoder", "cpu")
    assert advice in str(caught.value) and "owner/name at abc" in str(caught.value)


def test_a_config_alone(folder, monkeypatch, tmp_path):
    import huggingface_hub

    asked = Base(model=str(folder))
    assert loading.transformer_config(asked)["num_single_layers"] == 2
    with pytest.raises(KindredError, match=r"config\.json: no such file"):
        loading.transformer_config(Base(model=str(tmp_path), architecture="flux1"))

    def gated(model, name, revision):
        assert (model, name, revision) == ("owner/name", "transformer/config.json", "abc")
        raise hub.GatedRepoError("gated", response=ANSWER)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", gated)
    with pytest.raises(KindredError, match="hf auth login"):
        asked = Base(model="owner/name", revision="abc", architecture="flux1")
        loading.transformer_config(asked)


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "a/b/c"])
def test_paths_that_are_not_there(model, monkeypatch):
    import huggingface_hub

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(KindredError, match="no such folder"):
        loading.load_vae(Base(model=model), "cpu")


def test_slices_leave_out_what_nobody_set():
    base = Base(model="m", dtype="float32", text_tokens=56)
    assert base.image_encoder().canonical() == '{"model":"m"}'
    assert base.text_encoder().canonical() == '{"dtype":"float32","model":"m","tokens":56}'
    assert base.text_encoder(77).tokens == 77
