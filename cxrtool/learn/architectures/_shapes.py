"""The shapes of a network's maps, without computing anything."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class ShapesAlone(TorchFunctionMode):
    """Compute shapes, of the usual layers, of tensors without memory.

    PyTorch would import its compiler for that, which takes over a second.
    """

    SAME = (
        functional.batch_norm,
        functional.dropout,
        functional.leaky_relu,
        functional.relu,
        functional.silu,
        torch.relu,
        torch.relu_,
    )

    SUMS = (Tensor.add, Tensor.__add__, torch.add)

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function, unless its shape is known."""
        given = kwargs or {}
        if args and isinstance(args[0], Tensor) and args[0].is_meta:
            if function in self.SAME:
                return args[0]
            if function is functional.conv2d:
                return _convolved(*args, **given)
            if function is functional.max_pool2d:
                return _pooled(*args, **given)
            if function is functional.avg_pool2d:
                return _averaged(*args, **given)
            if function in self.SUMS and getattr(args[1], "shape", None) == args[0].shape:
                return args[0]
        if function is torch.cat and args[1:] == (1,) and all(one.is_meta for one in args[0]):
            return _joined(args[0])
        return function(*args, **given)


def _convolved(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str) or images.shape[1] != weight.shape[1] * groups:
        return functional.conv2d(images, weight, bias, stride, padding, dilation, groups)
    return _slid(images, len(weight), weight.shape[2:], stride, padding, dilation)


def _pooled(
    images: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    if ceil_mode or return_indices:
        pool: Any = functional.max_pool2d
        whole: Tensor = pool(
            images, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )
        return whole
    size, steps = images.shape[1], stride or kernel_size
    return _slid(images, size, kernel_size, steps, padding, dilation)


def _averaged(
    images: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    *counting: Any,
) -> Tensor:
    if ceil_mode:
        pool: Any = functional.avg_pool2d
        whole: Tensor = pool(images, kernel_size, stride, padding, ceil_mode, *counting)
        return whole
    return _slid(images, images.shape[1], kernel_size, stride or kernel_size, padding, 1)


def _joined(maps: Sequence[Tensor]) -> Tensor:
    """Return what has the shape of maps whose channels are put after one another."""
    number, _, *sides = maps[0].shape
    channels = sum(one.shape[1] for one in maps)
    return maps[0].new_empty(number, channels, *sides)


def _slid(images: Tensor, channels: int, *steps: Any) -> Tensor:
    """Return what has the shape of images that a kernel slid over.

    The steps are kernel, stride, padding and dilation: a number, or one for each axis (Dumoulin and
    Visin 2016, relationship 15).
    """
    pairs = [step if isinstance(step, Sequence) else (step, step) for step in steps]
    sides = [
        (side + 2 * pad - far * (kernel - 1) - 1) // step + 1
        for side, kernel, step, pad, far in zip(images.shape[2:], *pairs, strict=True)
    ]
    if min(sides) < 1:
        raise RuntimeError("the kernel is larger than the image")
    return images.new_empty(len(images), channels, *sides)
