/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents of the test guest's pages: made from a seed, hashed, checked. */

#ifndef GUEST_PAGES_H
#define GUEST_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096
#define PAGE_WORDS (PAGE_SIZE / sizeof (uint64_t))

/* The next number of a sequence that *STATE alone decides. */
extern uint64_t random_next (uint64_t *state);

/* Not for adversaries; a flipped bit changes it. */
extern uint64_t hash_words (const uint64_t *words, size_t count);

/* Fills a page that stays as it is.  NUMBER chooses the kind: of eight pages
 * one is zero, three are text, two are like tables of pointers, two random.
 */
extern void make_page (uint64_t *page, size_t number, uint64_t *state);

/* Fills a page that proves itself: SEQUENCE, which is never 0, NUMBER, the
 * hash of the rest, the rest.
 */
extern void write_dirty_page (uint64_t *page, size_t number,
                              uint64_t sequence);

/* Is this what write_dirty_page left?  A SEQUENCE of 0 stands for a page that
 * was zeroed or freed.
 */
extern bool dirty_page_is_right (const uint64_t *page, size_t number,
                                 uint64_t sequence);

#endif /* GUEST_PAGES_H */
