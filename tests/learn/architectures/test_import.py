"""torchvision is imported without PyTorch's compiler, and is whole all the same."""

import subprocess
import sys

ASKING = """
import sys
from cxrtool.learn import inference
inference.built("resnet18", 2, 1, 64)
assert "torchvision" in sys.modules
assert "torch._dynamo" not in sys.modules and "torch._dynamo.utils" not in sys.modules
import torch
from torchvision.ops import roi_align
images, boxes = torch.arange(64.0).view(1, 1, 8, 8), torch.tensor([[0.0, 0, 0, 8, 8]])
assert roi_align(images, boxes, (2, 2)).shape == (1, 1, 2, 2)
from torchvision.ops.roi_align import is_compile_supported
import torch._dynamo.utils
assert is_compile_supported("cpu") == torch._dynamo.utils.is_compile_supported("cpu")
network = torch.compile(torch.nn.Linear(3, 2), backend="eager")
assert network(torch.ones(1, 3)).shape == (1, 2)
"""


def test_the_compiler_is_imported_only_when_it_is_asked() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
