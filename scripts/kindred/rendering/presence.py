"""Whether the pictures that manifests list are in the store.

Knows manifests and files; imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Sequence

from kindred.common.errors import Problems
from kindred.rendering.manifest import ADVICE, Manifest


def check_pictures(manifests: Sequence[Manifest]) -> None:
    """Raise ProblemsError, a line a manifest, when pictures are missing from the store."""
    problems = Problems("pictures are missing from the store")
    for manifest in manifests:
        lost = [row for row in manifest.rows if not row.path.is_file()]
        if lost:
            few = ", ".join(str(row.path) for row in lost[:3]) + (" ..." if len(lost) > 3 else "")
            what = f"{len(lost)} of {len(manifest.rows)} missing ({few})"
            problems.add(str(manifest.file), what, ADVICE)
    problems.raise_if_any()
