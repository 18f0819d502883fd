/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A shared object that is no codec plugin. */

extern int empty_nothing;

int empty_nothing;
