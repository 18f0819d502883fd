# SPDX-License-Identifier: LGPL-2.1-or-later
# Codec libraries, each of them optional.

# IOPRESS_CODEC(OPTION, PREFIX, MODULE, CODEC)
# --with-OPTION=yes|no|check decides whether plugin CODEC is built with
# pkg-config module MODULE.  Sets PREFIX_CFLAGS, PREFIX_LIBS, the conditional
# HAVE_PREFIX and the shell variable with_OPTION (yes or no).
AC_DEFUN([IOPRESS_CODEC], [
  AC_ARG_WITH([$1],
    [AS_HELP_STRING([--with-$1=yes|no|check],
                    [codec $4 with $3 (default: check)])],
    [], [with_$1=check])
  AS_CASE([$with_$1],
    [yes], [PKG_CHECK_MODULES([$2], [$3])],
    [no], [],
    [check], [PKG_CHECK_MODULES([$2], [$3], [with_$1=yes], [with_$1=no])],
    [AC_MSG_ERROR([--with-$1 takes yes, no or check, not $with_$1])])
  AM_CONDITIONAL([HAVE_$2], [test "$with_$1" = yes])
])
