"""Lungs masked: `segment(image, *, ...) -> mask`, one file a model.

The image is 2-D, uint8 or uint16, and is left as it is; the mask is bool and has its shape.
"""
