/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store, mounted. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mount/guard.h"
#include "mount/mount.h"
#include "mount/operations.h"
#include "mount/packing.h"
#include "mount/replies.h"
#include "mount/windows.h"
#include "util/thread.h"

/* Threads of libfuse's.  Each has room for a request, and for an answer. */
#define SESSION_THREADS 4

/* A mount as it goes up and down. */
struct session {
  const struct mount_options *options;
  struct mounting mounting;
  struct store store;
  bool store_open;
  struct fuse_session *fuse;
  bool mounted;
  int guard;                   /* for guard_end */
};

static int
set_up (struct session *session, struct error *err)
{
  const struct mount_options *options = session->options;
  struct mounting *mounting = &session->mounting;

  mounting->header = options->header;
  mounting->say = options->say;
  mounting->codecs = codecs_new (options->plugin_folder);
  mounting->views = views_new (options->memory_bytes / 5 * VIEWS_FIFTHS,
                               options->threads);
  mounting->replies = replies_new (SESSION_THREADS, REQUEST_BYTES);
  if (mounting->codecs == NULL || mounting->views == NULL ||
      mounting->replies == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot be mounted");
  return codecs_find (mounting->codecs, mounting->header.codec,
                      &mounting->codec, err);
}

/* Before the mount covers it. */
static int
open_store (struct session *session, struct error *err)
{
  const struct mount_options *options = session->options;
  const char *name = options->store != NULL ? options->store : options->folder;
  int fd = open (name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return error_about (err, ERROR_FAILED, errno, name, "cannot be opened");
  if (store_open (fd, &session->mounting, &session->store, err) < 0) {
    close (fd);
    return error_subject (err, name);
  }
  session->store_open = true;
  session->mounting.root_fd = fd;
  return 0;
}

static int
add_arguments (const struct mount_options *options, struct fuse_args *args)
{
  char text[4096];
  const char *store = options->store != NULL ? options->store
    : options->folder;

  snprintf (text, sizeof text, "allow_other,default_permissions,subtype="
            PACKAGE_NAME ",max_read=%u", REQUEST_BYTES);
  if (fuse_opt_add_arg (args, PACKAGE_NAME) < 0 ||
      fuse_opt_add_arg (args, "-o") < 0 || fuse_opt_add_arg (args, text) < 0)
    return -1;
  if (options->fuse_options != NULL && options->fuse_options[0] != '\0' &&
      (fuse_opt_add_arg (args, "-o") < 0 ||
       fuse_opt_add_arg (args, options->fuse_options) < 0))
    return -1;
  /* A comma would begin another option. */
  if (strchr (store, ',') != NULL)
    store = PACKAGE_NAME;
  snprintf (text, sizeof text, "-ofsname=%s", store);
  return fuse_opt_add_arg (args, text);
}

static int
mount_session (struct session *session, struct error *err)
{
  const struct mount_options *options = session->options;
  struct fuse_lowlevel_ops operations = { 0 };
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);

  operations_of_nodes (&operations);
  operations_of_names (&operations);
  operations_of_files (&operations);
  operations_of_folders (&operations);
  if (add_arguments (options, &args) == 0)
    session->fuse = fuse_session_new (&args, &operations, sizeof operations,
                                      &session->store);
  fuse_opt_free_args (&args);
  if (session->fuse == NULL)
    return error_set (err, ERROR_FAILED, 0,
                      "libfuse does not take the mount options");
  if (fuse_session_mount (session->fuse, options->folder) != 0)
    return error_set (err, ERROR_FAILED, 0, "cannot be mounted");
  session->mounted = true;
  return 0;
}

static void *
exit_at_once (void *opaque)
{
  pthread_exit (opaque);
}

/* libfuse cancels its threads in the end.  The C library loads what that needs
 * when a thread first ends so, and without memory for it ends the process: now
 * nothing is lost by that.
 */
static int
prepare_cancelling (struct error *err)
{
  pthread_t thread;
  int result = thread_start (&thread, exit_at_once, NULL);

  if (result != 0)
    return error_set (err, ERROR_FAILED, result, "cannot start a thread");
  pthread_join (thread, NULL);
  return 0;
}

static int
serve (struct session *session, struct error *err)
{
  struct fuse_loop_config *loop = fuse_loop_cfg_create ();
  int result;

  if (loop == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot be served");
  fuse_loop_cfg_set_max_threads (loop, SESSION_THREADS);
  fuse_loop_cfg_set_idle_threads (loop, SESSION_THREADS);
  fuse_loop_cfg_set_clone_fd (loop, 0);
  result = fuse_session_loop_mt (session->fuse, loop);
  fuse_loop_cfg_destroy (loop);
  /* A positive number is that of the signal that ended it. */
  return result >= 0 ? 0
    : error_set (err, ERROR_FAILED, -result, "is not served any more");
}

/* It is mounted all the same where that cannot be had. */
static void
guard (struct session *session)
{
  const struct mount_options *options = session->options;
  struct error err = { 0 };

  session->guard = guard_start (options->folder, session->store.root.fd,
                                options->say, &err);
  if (session->guard >= 0)
    return;
  error_subject (&err, options->folder);
  mounting_say_error (&session->mounting, &err);
}

static int
run (struct session *session, struct error *err)
{
  const struct mount_options *options = session->options;
  const struct packing_options packing = {
    .memory_bytes = options->memory_bytes / 5 * PACKING_FIFTHS,
    .threads = options->threads,
    .stored = !options->pack_now,
  };

  if (prepare_cancelling (err) < 0 || set_up (session, err) < 0 ||
      open_store (session, err) < 0 ||
      mount_session (session, err) < 0)
    return -1;
  if (fuse_daemonize (options->foreground) != 0)
    return error_set (err, ERROR_FAILED, errno, "cannot go to the background");
  if (!options->foreground)
    options->detached ();
  guard (session);
  if (windows_open (&session->mounting,
                    options->memory_bytes / 5 * WINDOWS_FIFTHS,
                    options->threads, options->pack_now,
                    &session->mounting.windows, err) < 0 ||
      packing_start (&session->store, &packing, &session->mounting.packing,
                     err) < 0)
    return -1;
  if (fuse_set_signal_handlers (session->fuse) != 0)
    return error_set (err, ERROR_FAILED, errno, "cannot take signals");
  return serve (session, err);
}

int
mount_run (const struct mount_options *options, struct error *err)
{
  struct session session = { .options = options, .guard = -1 };
  int result = run (&session, err);

  packing_stop (session.mounting.packing);
  if (session.store_open)
    store_close (&session.store);
  if (session.mounted)
    fuse_session_unmount (session.fuse);
  guard_end (session.guard);
  if (session.fuse != NULL) {
    fuse_remove_signal_handlers (session.fuse);
    fuse_session_destroy (session.fuse);
  }
  windows_close (session.mounting.windows);
  views_free (session.mounting.views);
  codecs_free (session.mounting.codecs);
  replies_free (session.mounting.replies);
  return result < 0 ? error_subject (err, options->folder) : 0;
}
