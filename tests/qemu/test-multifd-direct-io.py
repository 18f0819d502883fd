#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Saved and loaded through several channels past the page cache.

from roundtrip import Case, run_case

CHANNELS = {"multifd_channels": 2, "direct_io": True}

run_case(Case(save=CHANNELS, load=CHANNELS))
