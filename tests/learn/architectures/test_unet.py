"""The U-Net has the published size, keeps the image's, and its batch norms fold away."""

import pytest
import torch

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn.architectures import unet


def weights(**options):
    return sum(p.numel() for p in unet.build(**options).parameters())


def test_the_default_is_the_published_network_to_the_last_weight() -> None:
    assert weights() == 7_759_521


def test_width_classes_and_channels_change_what_they_say() -> None:
    assert weights(width=16) == 1_940_817
    assert weights(channels=3) - weights() == 2 * 9 * 32
    assert weights(classes=3) - weights() == 2 * (32 + 1)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_logit_comes_for_every_class_and_pixel(norm: unet.Norm) -> None:
    network = unet.build(classes=2, channels=3, size=48, width=4, norm=norm)
    assert network(torch.zeros(2, 3, 48, 80)).shape == (2, 2, 48, 80)


def test_every_weight_learns() -> None:
    network = unet.build(size=32, width=4, norm="batch")
    network(torch.rand(2, 1, 32, 32)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_shift_by_sixteen_pixels_shifts_what_is_found() -> None:
    torch.manual_seed(0)
    network = unet.build(width=4).eval()
    image = torch.zeros(1, 1, 320, 320)
    image[..., 150:160, 150:160] = 1
    there = network(image.roll(16, 3))[..., 100:200, 100:200]
    torch.testing.assert_close(network(image).roll(16, 3)[..., 100:200, 100:200], there)


def test_the_batch_norms_fold_into_the_convolutions() -> None:
    torch.manual_seed(0)
    network = unet.build(size=32, width=4, norm="batch")
    network(torch.rand(4, 1, 32, 32) * 3)  # The norms take in what they see.
    plain = unet.build(size=32, width=4)
    plain.load_state_dict(unet.folded(network.eval()))
    image = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(plain(image), network(image), atol=1e-5, rtol=1e-5)


def test_a_size_that_cannot_be_halved_four_times_is_refused() -> None:
    with pytest.raises(CxrtoolError, match="multiple of 16"):
        unet.build(size=250)
