"""Grey levels put in order: `equalize(image, bits, *, ...) -> image`, one file a method.

The image is 2-D, uint8 or uint16, and is left as it is; the result has its shape. With `bits` 8
the result is uint8 whatever the depth of the image, with 16 it keeps the depth where the method
can. A constant image comes back unchanged (16 bits: scaled), never NaN. Where the literature or a
published code defines the method, that definition is met exactly and named in the file.
"""
