/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The windows in memory of all files that are being written, and the threads
 * that make records of them.
 *
 * All memory is there when they are opened.  Nobody who holds a window waits
 * for another one: who needs room and finds none records a window himself.
 */

#ifndef IOPRESS_MOUNT_WINDOWS_H
#define IOPRESS_MOUNT_WINDOWS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "image/window.h"
#include "mount/mounting.h"

struct writing;

enum held_state {
  HELD_FREE,
  HELD_OPEN,                   /* is read and written */
  HELD_WAITING,                /* for a thread that makes a record of it */
  HELD_BUSY,                   /* one thread has it for itself */
};

/* A window in memory.  Its pages stand at their places; those that are not in
 * the map hold nothing of worth, and are zeros in the source.  All but the
 * pages is under the lock, and what a thread has for itself is its own.
 */
struct held {
  struct window window;
  struct writing *owner;       /* NULL: free */
  enum held_state state;
  bool dirty;                  /* not as its record */
  bool ragged;                 /* was written to off page boundaries */
  bool filling;                /* a thread copies to it */
  unsigned int users;          /* threads that copy to or from it */
  TAILQ_ENTRY (held) link;     /* of the list of its state */
};

TAILQ_HEAD (held_list, held);

struct recorder;
struct loader;

/* A thread that packs. */
struct packer {
  struct windows *windows;
  struct recorder *recorder;
  pthread_t thread;
};

struct windows {
  const struct mounting *mounting;
  uint32_t chunk_bytes;
  bool pack_now;               /* rather wait than store what could be packed */
  unsigned int count, threads;
  uint8_t *memory;
  struct held *held;
  struct recorder *storer;     /* packs nothing; one thread at a time */
  struct loader *loader;       /* one thread at a time */
  pthread_mutex_t storing, loading;
  struct packer *packers;      /* as many as threads */
  unsigned int started;        /* of their threads */

  pthread_mutex_t lock;        /* all below, and of every writing */
  pthread_cond_t changed;      /* something that is waited for may have come */
  pthread_cond_t work;         /* a window waits, or CLOSING */
  struct held_list free, open, waiting;        /* longest unused first */
  unsigned int open_dirty, open_ragged;
  LIST_HEAD (writing_list, writing) writings;
  /* Of files that are not written to any more. */
  atomic_uint_least64_t recorded_ns;   /* when, CLOCK_MONOTONIC */
  uint64_t files_finished, records_packed, records_stored, records_again;
  bool closing;
};

/* Open windows for files of MOUNTING within MEMORY_BYTES, with up to THREADS
 * threads that pack.  Returns 0, or -1 with ERR.
 */
int windows_open (const struct mounting *mounting, uint64_t memory_bytes,
                  unsigned int threads, bool pack_now,
                  struct windows **windows, struct error *err);

/* The least MEMORY_BYTES for CHUNK_BYTES. */
uint64_t windows_least_memory (uint32_t chunk_bytes);

/* Nothing may be in use any more.  NULL is ignored. */
void windows_close (struct windows *windows);

/* Since when no record was made.  Any thread. */
uint64_t windows_quiet_ns (const struct windows *windows);

enum held_purpose {
  FOR_READING,
  FOR_CHANGING,                /* a part of it */
  FOR_REPLACING,               /* all of it */
};

/* All that follows is called under the lock. */

/* The window NUMBER of OWNER, open, read from its record where it has one and
 * is not to be replaced; counts one user more.  The lock is given up meanwhile.
 * Returns 0, or an errno.
 */
int windows_get (struct windows *windows, struct writing *owner,
                 uint64_t number, enum held_purpose purpose,
                 struct held **held);

/* What windows_get gave is not used any more. */
void windows_put (struct windows *windows, struct held *held);

/* The window NUMBER of OWNER, or NULL when it is not in memory. */
struct held *windows_find (struct windows *windows,
                           const struct writing *owner, uint64_t number);

/* HELD was changed, and is not as its record.  Its owner has room for it. */
void windows_dirtied (struct windows *windows, struct held *held,
                      bool ragged);

/* Let all of OWNER's windows become records, and wait; nobody may use them. */
void windows_flush (struct windows *windows, struct writing *owner);

/* Store HELD, which is the caller's (HELD_BUSY), as it is.  The lock is given
 * up meanwhile.
 */
void windows_store (struct windows *windows, struct held *held);

/* HELD, which is the caller's (HELD_BUSY or of no list), is free. */
void windows_release (struct windows *windows, struct held *held);

/* Forget OWNER's windows from number FIRST to before END, which nobody uses. */
void windows_drop (struct windows *windows, struct writing *owner,
                   uint64_t first, uint64_t end);

#endif /* IOPRESS_MOUNT_WINDOWS_H */
