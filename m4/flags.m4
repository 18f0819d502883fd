# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiler and linker flags, tried one by one.

# IOPRESS_COMPILER_FLAGS(VARIABLE, FLAGS)
# Append to VARIABLE each of FLAGS that the compiler takes without a warning.
AC_DEFUN([IOPRESS_COMPILER_FLAGS], [
  for flag in m4_normalize([$2]); do
    AC_MSG_CHECKING([whether $CC accepts $flag])
    saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $flag"
    AC_COMPILE_IFELSE(
      [AC_LANG_SOURCE([[#include <stdio.h>
                        int probe (void);
                        int probe (void) { return 0; }]])],
      [AC_MSG_RESULT([yes])
       $1="$$1 $flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$saved_CFLAGS
  done
])

# IOPRESS_FORTIFY(VARIABLE)
# Append to VARIABLE the highest _FORTIFY_SOURCE that takes effect; without
# optimisation none does.
AC_DEFUN([IOPRESS_FORTIFY], [
  for level in 3 2; do
    AC_MSG_CHECKING([whether _FORTIFY_SOURCE=$level takes effect])
    fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level"
    saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $fortify"
    AC_COMPILE_IFELSE(
      [AC_LANG_SOURCE([[#include <stdio.h>
                        #if __USE_FORTIFY_LEVEL != _FORTIFY_SOURCE
                        #error
                        #endif]])],
      [fortify_found=yes],
      [fortify_found=no])
    CFLAGS=$saved_CFLAGS
    AC_MSG_RESULT([$fortify_found])
    AS_IF([test $fortify_found = yes], [$1="$$1 $fortify"; break])
  done
])

# IOPRESS_LINKER_FLAGS(VARIABLE, FLAGS)
# Append to VARIABLE each of FLAGS with which a program links.
AC_DEFUN([IOPRESS_LINKER_FLAGS], [
  for flag in m4_normalize([$2]); do
    AC_MSG_CHECKING([whether $CC links with $flag])
    saved_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS -Werror $flag"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes])
       $1="$$1 $flag"],
      [AC_MSG_RESULT([no])])
    LDFLAGS=$saved_LDFLAGS
  done
])

# IOPRESS_SANITIZER(FLAGS)
# Compile and link everything with FLAGS, or stop.
AC_DEFUN([IOPRESS_SANITIZER], [
  AC_MSG_CHECKING([whether $CC builds programs with $1])
  saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $1"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes])
     SANITIZER_FLAGS="$SANITIZER_FLAGS $1"],
    [AC_MSG_RESULT([no])
     AC_MSG_FAILURE([$CC cannot build programs with $1])])
  CFLAGS=$saved_CFLAGS
])

# IOPRESS_FUZZER(VARIABLE, FLAGS)
# Set VARIABLE to FLAGS, with which a fuzz target becomes a program, or stop.
AC_DEFUN([IOPRESS_FUZZER], [
  AC_MSG_CHECKING([whether $CC makes fuzzers with $2])
  saved_LDFLAGS=$LDFLAGS
  LDFLAGS="$LDFLAGS $2"
  AC_LINK_IFELSE(
    [AC_LANG_SOURCE([[#include <stddef.h>
                      #include <stdint.h>
                      int LLVMFuzzerTestOneInput (const uint8_t *, size_t);
                      int LLVMFuzzerTestOneInput (const uint8_t *bytes,
                                                  size_t length)
                      { return (void) bytes, length > SIZE_MAX / 2; }]])],
    [AC_MSG_RESULT([yes])
     $1="$2"],
    [AC_MSG_RESULT([no])
     AC_MSG_FAILURE([$CC makes no fuzzers: use clang with its runtime
libraries, or afl-clang-fast])])
  LDFLAGS=$saved_LDFLAGS
])
