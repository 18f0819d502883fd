#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that goes on writing, zeroing and freeing pages while QEMU saves it:
# the file holds stale bytes in pages that QEMU marks absent.

from roundtrip import Case, run_case

run_case(Case(live=True, cpus=2))
