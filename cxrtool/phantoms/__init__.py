"""Draw synthetic chest radiographs whose truth is known (numbers -> images and masks)."""

from cxrtool.phantoms.cases import LABELS, VIEWS, PhantomCase, plan
from cxrtool.phantoms.rendering import Phantom, render
from cxrtool.phantoms.slices import render_slice

__all__ = ["LABELS", "VIEWS", "Phantom", "PhantomCase", "plan", "render", "render_slice"]
