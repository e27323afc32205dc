"""klein in small: its tokenizer, text encoder, training pass and autoencoder are those that
kindred.models reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch._dynamo
from diffusers import AutoencoderKL

from kindred.lab import vae_training
from kindred.lab.base_network import FACTS
from kindred.lab.base_training import draw_batch, train
from kindred.lab.miniatures.klein import text_encoder
from kindred.lab.miniatures.klein.facts import KLEIN
from kindred.lab.miniatures.klein.network import KleinNetwork, build
from kindred.lab.miniatures.klein.tokenizer import in_chats, qwen_tokenizer
from kindred.lab.miniatures.klein.vae import adopt, measure_statistics
from kindred.lab.pretraining_corpus import Corpus, LatentCorpus
from kindred.lab.settings import LabSettings
from kindred.models.architectures import patches
from kindred.models.architectures.klein import text_encoder as as_drawn
from kindred.models.architectures.klein.denoiser import KleinDenoiser
from kindred.models.architectures.klein.facts import LAYERS
from kindred.models.architectures.klein.latents import KleinLatents, patchify

SETTINGS = LabSettings.load(Path(__file__).parents[4] / "config/lab/tiny-klein.yaml")
CAPTIONS = ["a man at the beach", "JBaker and AMiller in the park", "a photo of a woman"] * 3
TOKENS = 40


@pytest.fixture(scope="module")
def tokenizer():
    return qwen_tokenizer(CAPTIONS, ["Baker", "Miller", "Russett"], TOKENS)


@pytest.fixture
def network(tokenizer) -> KleinNetwork:
    torch.manual_seed(0)
    return build(SETTINGS.flow, SETTINGS.text, 16, {"qwen": tokenizer})


def ids_of(tokenizer, *texts: str) -> torch.Tensor:
    return torch.tensor(KLEIN.token_ids(tokenizer, texts, TOKENS))


def latents(tokenizer) -> LatentCorpus:
    rng = torch.Generator().manual_seed(1)
    return LatentCorpus(
        {"192x96": torch.randn(8, 16, 1, 1, generator=rng).repeat(1, 1, 12, 24)},
        {"192x96": torch.ones(8, 1, 12, 24)},
        {"192x96": torch.randn(8, 4, FACTS, generator=rng).half()},
        {"192x96": torch.arange(72).remainder(3).sub(1).expand(8, 72).to(torch.int8)},
        {"qwen": {"192x96": ids_of(tokenizer, *CAPTIONS[:2]).expand(8, 2, -1)}},
        {"qwen": ids_of(tokenizer, "")[0]},
    )


def test_words_are_whole_and_names_are_spelled(tokenizer):
    assert tokenizer.tokenize("a photo at the beach") == ["a", "Ġphoto", "Ġat", "Ġthe", "Ġbeach"]
    spelled = [tokenizer.tokenize(f"a photo of {initial}Russell")[3:] for initial in "JAC"]
    whole = [f"Ġ{initial}Russell" for initial in "JAC"]
    assert ["".join(pieces) for pieces in spelled] == whole
    assert max(len(piece) for piece in spelled[0]) <= 3
    assert "Baker" not in tokenizer.get_vocab()


def test_a_caption_is_the_message_of_a_chat_and_padded(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    again = KLEIN.load_tokenizers(tmp_path)["qwen"]
    ids = ids_of(again, "a man at the beach")[0]
    assert ids.tolist() == ids_of(tokenizer, "a man at the beach")[0].tolist()
    told = ids[ids != again.pad_token_id]
    assert [again.decode(told)] == in_chats(tokenizer, ["a man at the beach"])
    assert len(told) == 5 + 12, "marks, roles and empty lines are one token each"
    assert (ids[len(told) :] == again.pad_token_id).all()


def test_states_are_those_that_klein_is_drawn_by(network, tokenizer):
    texts = ["", "a man at the beach", "JBaker and AMiller in the park " * 4]
    with torch.no_grad():
        (found,) = network.text({"qwen": ids_of(tokenizer, *texts)})
    inner = as_drawn.trimmed(network.text_encoder, LAYERS)
    for text, one in zip(texts, found, strict=True):
        drawn = as_drawn.encode(tokenizer, inner, text, TOKENS, LAYERS)
        torch.testing.assert_close(one, drawn, rtol=1e-5, atol=1e-5)


def test_every_layer_that_is_read_starts_as_loud_as_the_others(network, tokenizer):
    (found,) = network.text({"qwen": ids_of(tokenizer, *CAPTIONS)})
    first, *_, last = (part.std().item() for part in found.chunk(len(LAYERS), dim=-1))
    assert 0.8 < first < last < 2.0


def test_what_is_never_read_is_not_trained(network, tokenizer):
    (found,) = network.text({"qwen": ids_of(tokenizer, *CAPTIONS)})
    found.square().mean().backward()
    trained = {n for n, p in network.text_encoder.named_parameters() if p.requires_grad}
    reached = {n for n, p in network.text_encoder.named_parameters() if p.grad is not None}
    assert trained == reached
    assert not any(name.startswith(("model.layers.27.", "model.norm")) for name in trained)


def test_the_training_pass_is_the_networks_own_and_the_one_that_draws(network, tokenizer):
    made = latents(tokenizer)
    batch = draw_batch(made, network.image_ids, SETTINGS.flow, 5, 0, 0.1, time_mean=0.8)
    text = network.text(batch.ids)
    own = network.velocity(batch, text)
    output, told = network.velocity_and_facts(batch, text)
    torch.testing.assert_close(output, own, rtol=1e-5, atol=1e-6)
    assert told.shape == (*own.shape[:2], FACTS)
    drawn = KleinDenoiser(network.transformer).packed_velocity(
        batch.noisy, (6, 12), batch.time, {"qwen3": text[0]}, 4.0
    )
    torch.testing.assert_close(drawn, own)


def test_tokens_of_latents_are_in_the_order_in_which_klein_packs(network):
    stored = torch.randn(2, 16, 12, 24)
    packed = KleinDenoiser(network.transformer).pack(patchify(stored))
    assert torch.equal(patches.pack(stored), packed)


@pytest.mark.long
def test_it_learns(network, tokenizer, tmp_path):
    made = latents(tokenizer)
    settings = SETTINGS.flow.model_copy(update={"steps": 25, "batch": 8, "lr": 5e-3, "warmup": 5})

    def loss() -> float:
        total = 0.0
        with torch.no_grad():
            for step in range(4):
                batch = draw_batch(made, network.image_ids, settings, 99, step, 0.0)
                error = network.velocity(batch, network.text(batch.ids))
                total += (error - (batch.noise - batch.clean)).square().mean().item()
        return total

    before = loss()
    train(network, settings, made, tmp_path, 0)
    assert loss() < 0.85 * before


@pytest.fixture(scope="module")
def drawings() -> Corpus:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 48, 64, 3), generator=rng, dtype=torch.uint8)
    return Corpus({"64x48": images}, {}, {}, {}, {})


def test_the_autoencoder_is_the_other_class_and_its_latents_are_normal(drawings, tmp_path):
    tiny = LabSettings.load(Path(__file__).parents[4] / "config/lab/tiny.yaml").vae
    torch.manual_seed(0)
    plain: AutoencoderKL = vae_training.build(tiny).eval()
    vae = adopt(plain)
    images = vae_training.to_signed(drawings.images["64x48"])
    with torch.no_grad():
        assert torch.equal(
            vae.encode(images).latent_dist.mean, plain.encode(images).latent_dist.mean
        )
    measure_statistics(vae, drawings, 12)
    vae.save_pretrained(tmp_path / "vae")
    raw = vae_training.encode(vae, drawings.images["64x48"]).float()
    normal = KLEIN.normalise(KLEIN.load_vae(tmp_path), raw)
    assert normal.shape == raw.shape
    assert torch.equal(patchify(normal), KleinLatents(vae).normalise(raw))
    channels = patchify(normal).transpose(0, 1).flatten(1)
    assert channels.mean(dim=1).abs().max() < 0.01
    assert (channels.var(dim=1) - raw.var() / (raw.var() + 1e-4)).abs().max() < 0.3


@pytest.mark.long
def test_one_compiled_layer_serves_all(network, tokenizer):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    layer = torch.compile(text_encoder.one_layer, dynamic=False, backend="aot_eager")
    ids = ids_of(tokenizer, *CAPTIONS)
    compiled = text_encoder.states(network.text_encoder, ids, network.padding, layer)
    plain = text_encoder.states(network.text_encoder, ids, network.padding)
    torch.testing.assert_close(compiled, plain)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
