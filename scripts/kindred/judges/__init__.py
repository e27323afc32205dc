"""Judges of pictures, behind the interface in interface.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindred.common.errors import KindredError

if TYPE_CHECKING:
    import torch

    from kindred.judges.interface import Judge
    from kindred.specs.judge import JudgeSpec


def open_judge(spec: JudgeSpec, device: torch.device | str = "cpu") -> Judge:
    """The judge that a specification describes, ready to look at pictures.

    Raises KindredError that says what is missing and how to get it.
    """
    if spec.kind == "lab":
        from kindred.judges.lab_judge import LabJudge

        return LabJudge.open(spec, device)
    if spec.kind in ("photo", "yunet-sface", "insightface"):
        from kindred.judges.photo_judge import PhotoJudge

        return PhotoJudge.open(spec, device)
    what = f"no judge of kind '{spec.kind}' in this version"
    raise KindredError(what, "judge: kind", "choose lab, photo, yunet-sface or insightface")
