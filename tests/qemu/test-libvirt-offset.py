#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The stream stands behind a libvirt header and XML, at an odd offset.

from roundtrip import Case, libvirt_prefix, run_case

run_case(Case(prefix=libvirt_prefix(67981)))
