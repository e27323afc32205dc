"""The lab's judge: labels, corpus, losses, crops, gates, and a whole tiny training on the CPU."""

from __future__ import annotations

import csv
import functools
import json
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import lab_identity_corpus
import lab_train_judge
from kindred.common.errors import KindredError
from kindred.judges.lab_detection import decode
from kindred.judges.lab_inference import DetectedPerson, DetectedScene, LabDetector, working_size
from kindred.judges.lab_judge import read_acceptance
from kindred.judges.lab_networks import Judge, JudgeConfig, crop, load_judge, save_judge, squared
from kindred.lab import judge_acceptance, judge_dataset, judge_run, judge_training
from kindred.lab.acceptance_images import (
    AcceptanceImage,
    family_pictures,
    family_size,
    identity_pictures,
    swap_pictures,
)
from kindred.lab.augmentation import _dct, disturb, jpeg_like
from kindred.lab.detection_losses import best_threshold, box_loss, heat_target
from kindred.lab.identity_corpus import draw_identity_shard, sample_identities, shard_scenes
from kindred.lab.judge_labels import ATTRIBUTES, SIZES, label_arrays, person_words, vocabulary
from kindred.world import pretraining_shards
from kindred.world.drawing import draw
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import PORTRAIT, WIDE

SMALL = {
    "finder_widths": (8, 8, 8, 8),
    "face_widths": (8, 8, 8, 8),
    "face_blocks": (1, 0, 0, 0),
    "reader_widths": (8, 8, 8, 8),
}


def small_judge(seed: int = 0) -> Judge:
    torch.manual_seed(seed)
    return Judge(JudgeConfig(**vocabulary(), **SMALL))


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identities")
    draw_identity_shard(3, 8, 3, folder / "identities-a.npz")
    draw_identity_shard(4, 8, 3, folder / "identities-b.npz")
    return folder


@pytest.fixture
def bank(shards):
    return judge_dataset.load_bank(None, shards, torch.device("cpu"), 0)


def test_general_labels_say_the_same_as_labels_of_the_scenes():
    arrays, _ = pretraining_shards.draw_arrays(5, 12, WIDE)
    scenes = [sample_scene(Random(5 * 1_000_003 + n), size=WIDE) for n in range(12)]
    wanted = label_arrays(scenes, [draw(scene, masks=False) for scene in scenes])
    got = judge_dataset.general_labels(arrays)
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)
    assert (got["identity"] == -1).all()


def test_what_cannot_be_seen_is_not_asked():
    rng = Random(1)
    seen = [f for _ in range(300) for f in sample_scene(rng).figures]
    bald = [f for f in seen if f.person.hair_style == "bald"]
    hidden = [f for f in seen if f.hat and f.person.hair_style in ("short", "spiky")]
    assert bald and hidden
    assert all(person_words(f)["hair_colour"] is None for f in bald)
    assert all(person_words(f)["hair_style"] is None for f in hidden)
    assert all(person_words(f)["hat_colour"] is None for f in seen if not f.hat)


def test_identity_shard_holds_everybody_equally_often_and_nobody_twice_in_a_picture():
    scenes, who = shard_scenes(7, 10, 4)
    people = [identity for picture in who for identity in picture]
    assert np.bincount(people).tolist() == [4] * 10
    assert all(len(set(picture)) == len(picture) for picture in who)
    sizes = [SIZES.index((s.width, s.height)) for s in scenes]
    assert sizes == sorted(sizes)


def test_views_keep_the_face_and_change_the_looks():
    scenes, who = shard_scenes(7, 20, 4)
    views: dict[int, list] = {}
    for scene, picture in zip(scenes, who, strict=True):
        for figure, identity in zip(scene.figures, picture, strict=True):
            views.setdefault(identity, []).append(figure.person)
    assert all(len({p.traits for p in persons}) == 1 for persons in views.values())
    assert len({persons[0].traits for persons in views.values()}) == 20
    assert any(len({p.kind for p in persons}) > 1 for persons in views.values())
    looks = [len({(p.hair_style, p.hair_colour) for p in persons}) for persons in views.values()]
    assert min(looks) >= 2


def test_identities_come_in_pairs_of_look_alikes():
    people = sample_identities(Random(0), 40)
    shared = [
        sum(a == b for a, b in zip(people[k].traits, people[k + 1].traits, strict=True))
        for k in range(0, 40, 2)
    ]
    assert max(shared) > 6 and max(shared) <= 12 and len(set(shared)) > 4


def test_an_identity_shard_is_the_same_bytes_for_the_same_seed(tmp_path):
    for name in "ab":
        draw_identity_shard(11, 4, 2, tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_bank_brings_pictures_and_labels_together(bank, shards):
    assert bank.views.shape == (16, 3, 2)
    for identity, views in enumerate(bank.views.tolist()):
        assert all(int(bank.labels["identity"][at, slot]) == identity for at, slot in views)
    traits = bank.labels["traits"][bank.views[..., 0], bank.views[..., 1]]
    assert (traits == traits[:, :1]).all()
    assert len(bank.persons) == 48
    with np.load(shards / "identities-a.npz") as file:
        first = next(file[f"images_{k}"] for k in range(3) if len(file[f"images_{k}"]))
    height, width = first.shape[1:3]
    np.testing.assert_array_equal(bank.images[0, :height, :width].numpy(), first[0])


def test_bank_reads_general_shards_too(tmp_path, shards):
    pretraining_shards.draw_shard(1, 5, PORTRAIT, tmp_path / "portrait.npz")
    bank = judge_dataset.load_bank(tmp_path, shards, torch.device("cpu"), 5)
    with_views = int((bank.labels["identity"] >= 0).any(1).sum())
    assert len(bank.size) == with_views + 5
    assert bank.views.shape == (16, 3, 2)


def test_bank_without_shards_says_what_to_do(tmp_path):
    with pytest.raises(KindredError, match="lab_identity_corpus"):
        judge_dataset.load_bank(None, tmp_path, torch.device("cpu"), 0)


class HalvingVae:
    """Stands for an autoencoder: decodes at half the contrast."""

    def encode(self, images):
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: images))

    def decode(self, latent):
        return SimpleNamespace(sample=latent / 2)


def test_soften_changes_the_share_it_was_told_and_no_canvas_outside_the_picture(bank):
    before = bank.images.clone()
    judge_dataset.soften(bank, HalvingVae(), 0.5, seed=1)
    changed = (bank.images != before).flatten(1).any(1)
    wanted = sum(int(len(rows) * 0.5) for rows in bank.rows)
    assert int(changed.sum()) == wanted > 0
    for k, (width, height) in enumerate(SIZES):
        assert (bank.images[bank.rows[k], height:] == 0).all()
        assert (bank.images[bank.rows[k], :, width:] == 0).all()


def test_heat_and_boxes_are_read_back_as_they_were_drawn():
    heads = torch.tensor([[[10.0, 12, 50, 52], [70, 20, 110, 60]]])
    boxes = torch.tensor([[[4.0, 8, 60, 140], [64, 10, 120, 130]]])
    present = torch.tensor([[True, True]])
    target = heat_target(heads, present, 144, 128)
    assert target.shape == (1, 36, 32) and int((target == 1).sum()) == 2
    points = torch.stack(
        torch.meshgrid(torch.arange(36) * 4 + 2, torch.arange(32) * 4 + 2, indexing="ij")[::-1], -1
    )
    distances = torch.zeros(1, 8, 36, 32)
    for k in range(2):
        cells = target[0] > 0.2 if k == 0 else torch.zeros(36, 32, dtype=torch.bool)
        cells = (points[..., 0] < 62) if k == 0 else (points[..., 0] >= 62)
        for first, box in ((0, heads[0, k]), (4, boxes[0, k])):
            away = torch.cat([points - box[:2], box[2:] - points], -1).permute(2, 0, 1) / 16
            distances[0, first : first + 4] = torch.where(
                cells, away, distances[0, first : first + 4]
            )
    found = decode(torch.logit(target.clamp(1e-4, 0.999)), distances, 0.5)[0]
    order = found.heads[:, 0].argsort()
    torch.testing.assert_close(found.heads[order], heads[0])
    torch.testing.assert_close(found.boxes[order], boxes[0])
    assert float(box_loss(distances, heads, boxes, present)) < 1e-6
    assert float(box_loss(distances + 0.1, heads, boxes, present)) > 0.01


def test_one_head_seen_twice_is_one_person():
    heat = torch.full((1, 36, 32), -9.0)
    heat[0, 10, 10], heat[0, 12, 10], heat[0, 10, 25] = 3.0, 2.0, 1.0
    distances = torch.ones(1, 8, 36, 32)
    assert len(decode(heat, distances, 0.3)[0].scores) == 2
    assert len(decode(heat, distances, 0.8)[0].scores) == 1


def test_threshold_is_the_one_that_counts_best():
    scores = [torch.tensor([0.9, 0.42]), torch.tensor([0.8, 0.55])]
    assert 0.42 <= best_threshold(scores, [1, 2]) < 0.55


def test_crop_of_the_whole_picture_is_the_picture_and_ends_at_the_picture():
    smooth = torch.rand(1, 3, 8, 8)
    image = torch.nn.functional.interpolate(smooth, (96, 96), mode="bilinear")
    whole = torch.tensor([[0.0, 0, 96, 96]])
    torch.testing.assert_close(crop(image, None, whole, 96), image, atol=0.02, rtol=0)
    part = crop(image, torch.tensor([0]), torch.tensor([[16.0, 32, 48, 64]]), 32)
    torch.testing.assert_close(part, image[..., 32:64, 16:48], atol=0.02, rtol=0)
    canvas = torch.zeros(1, 3, 96, 192)
    canvas[..., :96] = image
    beyond = torch.tensor([[40.0, -20, 160, 100]])
    inside = crop(image, None, beyond, 32)
    on_canvas = crop(canvas, None, beyond, 32, torch.tensor([[96.0, 96.0]]))
    torch.testing.assert_close(inside, on_canvas)
    assert not torch.allclose(inside, crop(canvas, None, beyond, 32))


def test_squares_keep_the_centre():
    got = squared(torch.tensor([[10.0, 20, 30, 30]]), 1.5)
    assert got.tolist() == [[5.0, 10.0, 35.0, 40.0]]


def test_cosine_transform_is_orthonormal_and_disturbances_keep_the_shape():
    basis = _dct(torch.device("cpu"))
    torch.testing.assert_close(basis @ basis.T, torch.eye(8), atol=1e-6, rtol=0)
    images = torch.rand(6, 3, 48, 64) * 2 - 1
    rng = torch.Generator().manual_seed(1)
    got = disturb(images, rng)
    assert got.shape == images.shape and torch.isfinite(got).all()
    assert float((got - images).abs().mean()) > 0.01
    assert float((jpeg_like(images, rng) - images).abs().max()) < 2.0


def test_disturbances_follow_the_seed():
    images = torch.rand(4, 3, 32, 32)
    first, second = (disturb(images, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, disturb(images, torch.Generator().manual_seed(6)))


def test_contrastive_loss_is_log_of_the_other_candidates_when_all_look_alike():
    who = torch.tensor([0, 0, 1, 1])
    alike = torch.nn.functional.normalize(torch.ones(4, 8), dim=1)
    assert float(judge_training.contrastive(alike, who)) == pytest.approx(np.log(3), abs=1e-4)
    apart = torch.eye(8)[[0, 0, 1, 1]]
    assert float(judge_training.contrastive(apart, who)) < 1e-3
    wrong = torch.eye(8)[[0, 1, 0, 1]]
    assert float(judge_training.contrastive(wrong, who)) > 5


@pytest.mark.parametrize("step", ["finder_step", "face_step", "reader_step"])
def test_training_steps_also_run_in_mixed_precision(bank, monkeypatch, step):
    """On CUDA the networks run under bfloat16 autocast; a CPU can do the same."""
    monkeypatch.setattr(judge_training, "autocast", lambda _: torch.autocast("cpu", torch.bfloat16))
    judge = small_judge()
    rng = torch.Generator().manual_seed(1)
    losses = getattr(judge_training, step)(judge, bank, 8, rng)
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    assert torch.isfinite(total)
    assert total.dtype == torch.float32


def test_a_stage_killed_half_way_ends_in_the_same_weights(bank, monkeypatch, tmp_path):
    saving = functools.partial(judge_training.TrainingLoop, checkpoint_s=-1.0)
    monkeypatch.setattr(judge_training, "TrainingLoop", saving)
    stage = judge_training.TrainingStage(6, 8, 1e-3, 1)

    def train(folder: str, die_at: int) -> dict[str, torch.Tensor]:
        judge, calls = small_judge(), iter(range(100))

        def step(*args):
            if next(calls) == die_at:
                raise InterruptedError
            return judge_training.face_step(*args)

        judge_training.run_stage("face", judge.face, judge, bank, stage, step, tmp_path / folder)
        return judge.face.state_dict()

    whole = train("whole", -1)
    with pytest.raises(InterruptedError):
        train("broken", 4)
    again = train("broken", 2)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_saved_judge_gives_the_same_answers_and_is_small(tmp_path):
    torch.manual_seed(0)
    judge = Judge(JudgeConfig(**vocabulary())).eval()
    save_judge(judge, tmp_path / "judge")
    files = list((tmp_path / "judge").iterdir())
    assert sorted(f.name for f in files) == ["config.json", "model.safetensors"]
    assert sum(f.stat().st_size for f in files) < 6_000_000
    again = load_judge(tmp_path / "judge")
    image = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(
            again.finder(image)[0], judge.finder(image)[0], atol=0.02, rtol=0.01
        )
        folded = LabDetector.load(tmp_path / "judge").net
        torch.testing.assert_close(
            folded.finder(image)[0], again.finder(image)[0], atol=1e-4, rtol=1e-4
        )


def test_a_folder_that_is_no_judge_says_so(tmp_path):
    with pytest.raises(KindredError, match=r"contains no lab judge"):
        load_judge(tmp_path)
    save_judge(small_judge(), tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(raw | {"colour": 1}))
    with pytest.raises(KindredError, match="colour"):
        load_judge(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(raw | {"embedding": 5}))
    with pytest.raises((KindredError, RuntimeError)):
        load_judge(tmp_path)


def test_pictures_of_any_size_and_mode_are_looked_at_in_order():
    judge = LabDetector(small_judge())
    images = [
        Image.new("RGB", (512, 576), "red"),
        Image.new("L", (128, 144)),
        Image.new("RGBA", (192, 96)),
        Image.new("RGB", (37, 51)),
    ]
    sightings = judge.look(images, threshold=0.0)
    assert [working_size(i.size) for i in images] == [(128, 144), (128, 144), (192, 96), (112, 160)]
    assert len(sightings) == 4 and judge.look([]) == []
    for image, sighting in zip(images, sightings, strict=True):
        assert sighting.people
        assert sum(sighting.place.values()) == pytest.approx(1, abs=1e-4)
        centres = [s.head[0] + s.head[2] for s in sighting.people]
        assert centres == sorted(centres)
        for seen in sighting.people:
            assert 0 <= seen.box[0] < seen.box[2] <= image.width + 1e-3
            assert np.linalg.norm(seen.embedding) == pytest.approx(1, abs=1e-4)
            assert set(seen.attributes) == set(ATTRIBUTES)
            assert seen.says("kind") in ATTRIBUTES["kind"]


def test_each_true_head_gets_the_nearest_person_once():
    def seen(x: float) -> DetectedPerson:
        return DetectedPerson((0, 0, 1, 1), (x, 0, x + 20, 20), 1.0, np.zeros(2), {}, {})

    heads = ((0.0, 0, 20, 20), (30.0, 0, 50, 20), (100.0, 0, 120, 20))
    near, far = seen(33), seen(4)
    got = judge_acceptance.match(DetectedScene([far, near]), AcceptanceImage(None, None, heads))
    assert got == [far, near, None]


def test_figures_on_likeness_by_hand():
    assert judge_acceptance.auc(np.array([0.9, 0.5]), np.array([0.1, 0.5])) == pytest.approx(0.875)
    assert np.isnan(judge_acceptance.auc(np.array([]), np.array([0.1])))
    assert judge_acceptance.tpr(np.array([0.9, 0.2]), np.linspace(0, 0.5, 101), 0.01) == 0.5
    points = np.eye(4)[[0, 0, 1, 2, 2, 2]]
    assert judge_acceptance.rank_one(points, np.array([0, 0, 1, 1, 2, 2]), 100) == pytest.approx(
        2 / 3
    )
    unseen = points.copy()
    unseen[1] = np.nan
    assert judge_acceptance.rank_one(unseen, np.array([0, 0, 1, 1, 2, 2]), 100) == pytest.approx(
        1 / 3
    )


def test_gates_name_what_is_not_reached():
    figures = dict(judge_acceptance.TARGETS) | {"AUC": 0.9, "other face, same looks": 0.5}
    missed = judge_acceptance.failures(figures)
    assert len(missed) == 2
    assert missed[0].startswith("AUC: 0.900 is below")


def test_gate_pictures_change_one_thing_and_hold_people_no_corpus_holds():
    for swap in swap_pictures(1, 4):
        face, looks, other = (
            p.scene.figures[0] for p in (swap.person, swap.restyled, swap.stranger)
        )
        assert face.person.traits == looks.person.traits != other.person.traits
        assert face.hat == other.hat != looks.hat
        assert face.clothes_colour == other.clothes_colour != looks.clothes_colour
    drawn = identity_pictures(1, 5, 2)
    assert sorted(who for p in drawn for who in p.who) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    family = family_pictures(1, 2, 1, 2)
    assert {p.scene.figures[0].person.name for p in family} >= {"JRussell"}
    assert len(family) == 2 * family_size() + 2


@pytest.mark.long
def test_whole_training_from_nothing_twice_and_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(
        judge_run, "JudgeConfig", lambda **words: JudgeConfig(**words, **SMALL, threshold=0.0)
    )
    folder = tmp_path / "identities"
    wanted = ["--out", str(folder), "--identities", "8", "--shard", "4", "--views", "2"]
    assert lab_identity_corpus.main([*wanted, "--workers", "1"]) == 0
    stamps = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert lab_identity_corpus.main([*wanted, "--workers", "1"]) == 0
    assert stamps == {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}

    def train(name: str) -> bytes:
        work = tmp_path / name
        command = ["--identities", str(folder), "--out", str(work / "judge"), "--work", str(work)]
        options = ["--steps", "8", "--batch", "8", "--gates", "0.01", "--device", "cpu"]
        assert lab_train_judge.main([*command, *options]) == 0
        return (work / "judge" / "model.safetensors").read_bytes()

    first = train("a")
    assert first == train("b")
    (tmp_path / "b" / "judge-reader.pt").unlink()
    assert first == train("b")
    with open(tmp_path / "a" / "judge-face.csv") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["5"]
    figures = json.loads((tmp_path / "a" / "gates.json").read_text())
    assert {"AUC", "count", "family top-1", "worst trait"} <= set(figures)
    assert read_acceptance(tmp_path / "a" / "judge").measured
    assert 0.1 <= load_judge(tmp_path / "a" / "judge").config.threshold <= 0.7


def test_wrong_settings_are_explained(tmp_path):
    with pytest.raises(KindredError, match="--shard"):
        lab_identity_corpus.main(["--out", str(tmp_path), "--shard", "3"])
