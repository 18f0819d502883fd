#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Stands for the C++ test of the plugin header where it cannot be built.

echo "SKIP: no C++ compiler was found by configure" >&2
exit 77
