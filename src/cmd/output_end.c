/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an output ends: kept, committed or abandoned. */

#include <config.h>

#include "cmd/output.h"

void
output_keep (struct output *output)
{
  file_close (&output->file);
  draft_close (&output->draft);
}

int
output_commit (struct output *output, struct error *err)
{
  struct file *file = &output->file;

  if (output->part[0] != '\0') {
    if (draft_publish (&output->draft, output->force ? DRAFT_OVER : DRAFT_NEW,
                       NULL, err) < 0)
      return -1;
    output->part = "";
  }
  else {
    if (file_sync (file, err) < 0 || file_check_close (file, err) < 0)
      return -1;
    if (!file->direct)
      file_drop_cache (file, 0, 0);
  }
  output->committed = true;
  return 0;
}

void
output_abandon (struct output *output)
{
  struct error ignored = { 0 };

  /* What is committed is durable: closing cannot lose anything any more. */
  if (output->file.fd >= 0 && !output->committed) {
    if (output->path != NULL)
      draft_drop (&output->draft);
    else if (output->file.regular)
      file_truncate (&output->file, 0, &ignored);
  }
  output_keep (output);
}
