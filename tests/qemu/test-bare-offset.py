#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The stream stands at an odd offset behind bytes that iopress cannot know.
# It may take the file for raw, but has to give it back right.

from roundtrip import Case, run_case

run_case(Case(prefix=b"not a libvirt header\n" * 587, recognised=False))
