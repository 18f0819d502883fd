#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# No flipped byte of an image with codec zstd gives a wrong file.

import os
import sys

sys.dont_write_bytecode = True
sys.path[1:1] = [os.path.join(os.path.dirname(sys.path[0]), "lib")]

from flip import main  # noqa: E402

sys.exit(main("zstd"))
