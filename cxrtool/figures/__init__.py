"""Plots, grids of pictures, and the HTML page that holds them.

matplotlib is imported in this folder alone, after what is said here of its own files.
"""

import logging
import os

from cxrtool.files.disk import user_cache

# matplotlib keeps a list of the fonts of the machine. A command writes into its own cache only, and
# where that cannot be written, matplotlib need not say so: the list is made again at every start.
if os.path.isabs(user_cache()):
    os.environ.setdefault("MPLCONFIGDIR", os.path.join(user_cache(), "matplotlib"))
logging.getLogger("matplotlib").setLevel(logging.ERROR)
