#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that stands still while QEMU saves it.

from roundtrip import Case, run_case

run_case(Case())
