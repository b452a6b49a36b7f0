"""Where a network looks: `heatmap(network, images, classes, *, ...) -> maps`, one file a method.

The images (N, C, H, W) are float grey levels, 0 for black, and `classes` (N,) says for which class
each is looked at. A network takes such images, is in eval mode, and is not changed. The maps
(N, h, w) cover the images evenly, at whatever resolution the method has; what speaks against the
class is negative where the method can tell. No image changes the map of another one beside it, and
where a method finds nothing the map is 0, never NaN.

A method with `ALONE` looks at one image so often that it gains nothing from having more of them.
One with `SIGNED` finds what speaks against the class too. One with `ASKS_ONLY` takes nothing from
inside the network, so that it has no maps of a branch.
"""
