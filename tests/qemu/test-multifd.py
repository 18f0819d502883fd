#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Saved and loaded through several channels at a time.

from roundtrip import Case, run_case

run_case(Case(save={"multifd_channels": 4}, load={"multifd_channels": 4}))
