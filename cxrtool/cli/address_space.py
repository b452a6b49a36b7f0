"""Whether the libraries of a command fit into the address space that `ulimit -v` leaves.

Where it is too small, they do not fail as Python does: their C++ code aborts, or tries for ever. So
another process tries first, wherever there is a limit.
"""

import sys

from cxrtool.core.errors import BrokenRun

# Bytes that are left for the work itself, beside the libraries: without PyTorch, and with it.
RESERVES = 128 << 20, 512 << 20
# Seconds of processor time after which a library has tried long enough.
SECONDS = 60

LIGHT = (
    "cxrtool.data.measurement",
    "cxrtool.data.assignment",
    "cxrtool.preprocess.equalization",
    "cxrtool.compare.report_page",
)
HEAVY = (
    *LIGHT,
    "cxrtool.learn.trainer",
    "cxrtool.learn.prediction",
    "cxrtool.explain.features",
    "cxrtool.explain.explanation",
    "cxrtool.preprocess.segmentation",
)
WITH_TORCH = ("train", "evaluate", "cam", "tsne", "segment", "demo")
ALONE = ("", "recipe")

# The threads of a library start at its first work.
TRIAL = """
import resource
limit, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (max(0, limit - {reserve}), most))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
import {modules}
import numpy, scipy.linalg
scipy.linalg.lu_factor(numpy.eye(256))
"""
TORCH_TRIAL = """
import torch, torch._dynamo
layer = torch.nn.Conv2d(3, 16, 3)
layer(torch.ones(16, 3, 64, 64)).sum().backward()
"""


def check(verb: str) -> None:
    """Refuse to begin a command whose libraries cannot be loaded."""
    if sys.platform == "win32" or verb in ALONE:
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or _can_be_loaded(verb in WITH_TORCH):
        return
    what = f"the address space is limited to {limit / 2**30:.1f} GiB (ulimit -v)"
    raise BrokenRun(f"{what}, too little for its libraries", "Raise it: ulimit -v unlimited.")


def _can_be_loaded(with_torch: bool) -> bool:
    import subprocess  # It is needed under a limit only, and takes a tenth of the start.

    modules = HEAVY if with_torch else LIGHT
    trial = TRIAL.format(reserve=RESERVES[with_torch], seconds=SECONDS, modules=", ".join(modules))
    done = subprocess.run(
        [sys.executable, "-c", trial + TORCH_TRIAL * with_torch],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0
