#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# QEMU looks for no zero pages: every bit is set and zeros are in the file.

from roundtrip import Case, run_case

run_case(Case(save={"zero_page_detection": "none"}))
