"""Position ids that are made once for a size and stay where the network reads them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch


def kept(
    make: Callable[..., torch.Tensor],
) -> Callable[[tuple[int, ...], torch.device, torch.dtype | None], torch.Tensor]:
    """The function (sizes, device, dtype) -> `make(*sizes)` there, in its own dtype for None.

    Kept on the device, and for good: copying ids there at every step would make the step wait, and
    recorded steps read them where they are. Of no inference mode, since trainings use them too.
    """

    @cache
    def ids(
        sizes: tuple[int, ...], device: torch.device, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        with torch.inference_mode(False):
            return make(*sizes).to(device, dtype)

    return ids
