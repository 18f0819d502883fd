/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers for the answers to reads. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "mount/replies.h"
#include "util/buffer.h"

struct replies {
  size_t bytes;                /* of each */
  unsigned int count;
  uint8_t *memory;
  pthread_mutex_t lock;
  unsigned int free_count;     /* under the lock, and so is: */
  void *free[];                /* the first free_count, used last is last */
};

struct replies *
replies_new (unsigned int count, size_t bytes)
{
  struct replies *replies = calloc (1, sizeof *replies +
                                    count * sizeof replies->free[0]);

  if (replies == NULL)
    return NULL;
  replies->memory = buffer_allocate (count * bytes);
  if (replies->memory == NULL) {
    free (replies);
    errno = ENOMEM;
    return NULL;
  }
  replies->bytes = bytes;
  replies->count = count;
  pthread_mutex_init (&replies->lock, NULL);
  /* Who is alone always gets the first one: the others cost no memory. */
  while (replies->free_count < count) {
    replies->free[replies->free_count] =
      replies->memory + (count - 1 - replies->free_count) * bytes;
    replies->free_count++;
  }
  return replies;
}

void
replies_free (struct replies *replies)
{
  if (replies == NULL)
    return;
  pthread_mutex_destroy (&replies->lock);
  buffer_free (replies->memory, replies->count * replies->bytes);
  free (replies);
}

void *
replies_take (struct replies *replies, size_t bytes)
{
  void *buffer = NULL;

  if (bytes > replies->bytes)
    return NULL;
  pthread_mutex_lock (&replies->lock);
  if (replies->free_count > 0)
    buffer = replies->free[--replies->free_count];
  pthread_mutex_unlock (&replies->lock);
  return buffer;
}

void
replies_give_back (struct replies *replies, void *buffer)
{
  pthread_mutex_lock (&replies->lock);
  replies->free[replies->free_count++] = buffer;
  pthread_mutex_unlock (&replies->lock);
}
