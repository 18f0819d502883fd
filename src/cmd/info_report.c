/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What iopress info says, as text and as JSON. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cmd/info_report.h"
#include "util/json.h"
#include "util/size.h"
#include "util/visible.h"

static const char *
kind_name (const struct image *image)
{
  return image->header.kind == IMAGE_MAPPED_RAM ? "mapped-ram" : "raw";
}

static uint64_t
data_bytes (const struct image *image)
{
  return image->footer.page_count * PAGE_BYTES;
}

/* Pages in per byte out. */
static double
ratio (const struct image *image)
{
  double data = (double) data_bytes (image);

  return data / (double) image->bytes;
}

void
info_id_text (const uint8_t id[IMAGE_ID_BYTES], char text[INFO_ID_BYTES])
{
  size_t i;

  for (i = 0; i < IMAGE_ID_BYTES; i++)
    sprintf (text + 2 * i, "%02x", id[i]);
}

void
info_print_line (const char *what, const char *text)
{
  if (text[0] == '\0')
    return;
  printf ("%-14s ", what);
  visible_print (stdout, text);
  putchar ('\n');
}

void
info_print_size (const char *what, uint64_t bytes)
{
  char text[SIZE_TEXT_BYTES];

  printf ("%-14s %s (%llu bytes)\n", what, size_format (bytes, text),
          (unsigned long long) bytes);
}

static void
print_codec (const struct file_header *header)
{
  printf ("%-14s %s", "codec", header->codec);
  if (strcmp (header->codec, CODEC_STORED) != 0)
    printf (":%d%s%s", (int) header->level,
            header->parameters[0] != '\0' ? "," : "", header->parameters);
  printf ("\n");
}

static void
print_block (const struct ram_block *block)
{
  char size[SIZE_TEXT_BYTES], present[SIZE_TEXT_BYTES];

  if (block->ignored) {
    printf ("  %-24s %10s  shared, not in the image\n", block->name,
            size_format (block->used_bytes, size));
    return;
  }
  printf ("  %-24s %10s  %llu of %llu pages present, %s\n", block->name,
          size_format (block->used_bytes, size),
          (unsigned long long) block->present_count,
          (unsigned long long) block->page_count,
          size_format (block->present_count * block->page_bytes, present));
}

void
info_print_text (const struct image_facts *facts)
{
  const struct image *image = facts->image;
  const struct file_header *header = &image->header;
  char id[INFO_ID_BYTES];
  size_t i;

  info_id_text (header->image_id, id);
  printf ("%-14s %s, format %u.%u\n", "kind", kind_name (image),
          header->major, header->minor);
  printf ("%-14s %s\n", "image id", id);
  info_print_line ("domain", facts->domain_name);
  info_print_line ("uuid", facts->domain_uuid);
  if (facts->plain_sparse)
    printf ("%-14s %s\n", "stream", "plain, not mapped-ram as libvirt's "
            "header says");
  print_codec (header);
  info_print_size ("chunk size", header->chunk_bytes);
  info_print_size ("source", header->source_bytes);
  info_print_size ("pages", data_bytes (image));
  info_print_size ("image", image->bytes);
  printf ("%-14s %.2f\n", "ratio", ratio (image));
  printf ("%-14s %llu\n", "records",
          (unsigned long long) image->footer.record_count);
  if (facts->ram == NULL)
    return;
  info_print_line ("machine", facts->ram->machine);
  printf ("RAM blocks\n");
  for (i = 0; i < facts->ram->block_count; i++)
    print_block (&facts->ram->blocks[i]);
}

static void
add_block (struct json *object, const struct ram_block *block)
{
  json_open_object (object, NULL);
  json_add_string (object, "name", block->name);
  json_add_number (object, "size", block->used_bytes);
  json_add_number (object, "page_size", block->page_bytes);
  json_add_boolean (object, "ignored", block->ignored);
  json_add_number (object, "pages", block->page_count);
  json_add_number (object, "present_pages", block->present_count);
  json_add_number (object, "pages_offset", block->pages_offset);
  json_close (object);
}

void
info_add_domain (struct json *report, const char *name, const char *uuid)
{
  if (name[0] == '\0' && uuid[0] == '\0')
    return;
  json_open_object (report, "domain");
  json_add_string (report, "name", name);
  json_add_string (report, "uuid", uuid);
  json_close (report);
}

static void
add_guest (struct json *report, const struct image_facts *facts)
{
  size_t i;

  info_add_domain (report, facts->domain_name, facts->domain_uuid);
  if (facts->ram == NULL)
    return;
  json_add_string (report, "machine", facts->ram->machine);
  json_open_array (report, "ram_blocks");
  for (i = 0; i < facts->ram->block_count; i++)
    add_block (report, &facts->ram->blocks[i]);
  json_close (report);
}

void
info_print_json (const struct image_facts *facts)
{
  const struct image *image = facts->image;
  const struct file_header *header = &image->header;
  struct json report;
  char text[64];

  json_begin (&report, stdout);
  json_add_string (&report, "image", image->file->name);
  snprintf (text, sizeof text, "%u.%u", header->major, header->minor);
  json_add_string (&report, "format", text);
  info_id_text (header->image_id, text);
  json_add_string (&report, "image_id", text);
  json_add_string (&report, "kind", kind_name (image));
  if (facts->plain_sparse)
    json_add_string (&report, "stream", "plain");
  json_add_boolean (&report, "exact",
                    (header->compatible & FEATURE_EXACT) != 0);
  json_add_string (&report, "codec", header->codec);
  json_add_integer (&report, "level", header->level);
  json_add_string (&report, "parameters", header->parameters);
  json_add_number (&report, "chunk_size", header->chunk_bytes);
  json_add_number (&report, "prefix_size", header->prefix_bytes);
  json_add_number (&report, "source_size", header->source_bytes);
  json_add_number (&report, "image_size", image->bytes);
  json_add_number (&report, "records", image->footer.record_count);
  json_add_number (&report, "pages", image->footer.page_count);
  json_add_number (&report, "data_size", data_bytes (image));
  json_add_number (&report, "payload_size", image->footer.payload_bytes);
  json_add_real (&report, "ratio", ratio (image));
  add_guest (&report, facts);
  json_end (&report);
}
