"""What autograd keeps and what operations hold, counted in bytes on real modules, for tests."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Live(TorchDispatchMode):
    """Counts the bytes of tensors that operations make, while they are alive."""

    def __init__(self, ignored):
        super().__init__()
        self.sizes, self.ignored, self.peak = {}, ignored, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.ignored and storage._cdata not in self.sizes:
                    self.sizes[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.sizes.pop, storage._cdata)
                    self.peak = max(self.peak, sum(self.sizes.values()))
        return result


def places_of(tensors):
    """Storages, while the tensors live."""
    return {tensor.untyped_storage()._cdata for tensor in tensors}


def saved_bytes(block, arguments, known):
    """Bytes of all that autograd keeps, each storage once, weights and constants apart."""
    kept, known = {}, places_of(known)

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = block(*arguments)
    del result
    return sum(storage.nbytes() for storage in kept.values())
