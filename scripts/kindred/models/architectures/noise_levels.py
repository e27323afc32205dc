"""Moving noise levels by one factor, as every flow-matching model does.

sigma' = s sigma / (1 + (s - 1) sigma): equal signal-to-noise at another resolution (Esser et al.
2024, arXiv 2403.03206, equation 23). A scheduler's exponential shift by mu is the same with s =
e^mu. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.common.errors import KindredError

# What a FlowMatchEulerDiscreteScheduler can do besides, and no base of a known architecture asks.
OTHERS = (
    "shift_terminal",
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "invert_sigmas",
)


def check_scheduler(scheduler: Mapping[str, Any], where: str) -> None:
    """Raise KindredError, which begins with `where`, for a scheduler that does more than shift."""
    asked = [name for name in OTHERS if scheduler.get(name)]
    if scheduler.get("time_shift_type", "exponential") != "exponential":
        asked.append("time_shift_type")
    if asked:
        raise KindredError(
            f"its scheduler asks for {', '.join(asked)}, which Kindred can't draw with",
            where,
            "use a base whose scheduler only shifts noise levels",
        )


def schedule(shift: float, steps: int) -> list[float]:
    """Noise levels from 1 down to 0, `steps` + 1 of them: evenly spaced from 1 to 1 / steps, then
    moved by the factor `shift`.

    In float32, and to the bit what diffusers' scheduler says where its shift hangs on the size of
    the picture. A fixed one it computes by the other form of the formula above, which rounds
    otherwise: levels differ by up to 1.2e-7.
    """
    import numpy as np
    import torch

    even = torch.linspace(1.0, 1.0 / steps, steps).tolist()
    if shift == 1:
        return [*even, 0.0]
    levels = np.array(even).astype(np.float32)
    return [*(shift / (shift + (1 / levels - 1))).tolist(), 0.0]
