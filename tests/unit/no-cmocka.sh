#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Stands for the unit tests where they cannot be built.

echo "SKIP: cmocka was not found by configure" >&2
exit 77
