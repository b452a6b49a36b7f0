"""Draw synthetic chest radiographs whose truth is known (numbers -> images and masks)."""

from cxrtool.phantoms.cases import LABELS, VIEWS, Case, plan
from cxrtool.phantoms.rendering import Phantom, render
from cxrtool.phantoms.slices import render_slice

__all__ = ["LABELS", "VIEWS", "Case", "Phantom", "plan", "render", "render_slice"]
