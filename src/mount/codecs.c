/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The codecs of a mount. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "format/format.h"
#include "mount/codecs.h"

struct loaded {
  struct codec *codec;
  SLIST_ENTRY (loaded) next;
};

struct codecs {
  const char *folder;
  pthread_mutex_t lock;
  SLIST_HEAD (loaded_list, loaded) list;
};

struct codecs *
codecs_new (const char *folder)
{
  struct codecs *codecs = calloc (1, sizeof *codecs);

  if (codecs == NULL)
    return NULL;
  codecs->folder = folder;
  SLIST_INIT (&codecs->list);
  pthread_mutex_init (&codecs->lock, NULL);
  return codecs;
}

void
codecs_free (struct codecs *codecs)
{
  if (codecs == NULL)
    return;
  while (!SLIST_EMPTY (&codecs->list)) {
    struct loaded *loaded = SLIST_FIRST (&codecs->list);

    SLIST_REMOVE_HEAD (&codecs->list, next);
    codec_unload (loaded->codec);
    free (loaded);
  }
  pthread_mutex_destroy (&codecs->lock);
  free (codecs);
}

/* Under the lock. */
static int
load (struct codecs *codecs, const char *name, const struct codec **codec,
      struct error *err)
{
  struct loaded *loaded;

  SLIST_FOREACH (loaded, &codecs->list, next)
    if (strcmp (loaded->codec->ops.name, name) == 0) {
      *codec = loaded->codec;
      return 0;
    }
  loaded = calloc (1, sizeof *loaded);
  if (loaded == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot load a codec");
  if (codec_load (codecs->folder, name, &loaded->codec, err) < 0) {
    free (loaded);
    return -1;
  }
  SLIST_INSERT_HEAD (&codecs->list, loaded, next);
  *codec = loaded->codec;
  return 0;
}

int
codecs_find (struct codecs *codecs, const char *name,
             const struct codec **codec, struct error *err)
{
  int result;

  *codec = NULL;
  if (strcmp (name, CODEC_STORED) == 0)
    return 0;
  pthread_mutex_lock (&codecs->lock);
  result = load (codecs, name, codec, err);
  pthread_mutex_unlock (&codecs->lock);
  return result;
}
