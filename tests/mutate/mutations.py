# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of ways to damage the sample image, each with the message that must
# say so.  damage_*.py fill it.
#
# A mutation changes the Image it is given, or returns other bytes.  Its
# message is a regular expression for an image read as a file, PIPED for one
# read from a pipe if that is another.

from sample import COMPRESSED

MUTATIONS = []
ACCEPTED = []


def mutation(message, piped=None):
    def register(function):
        MUTATIONS.append((function.__name__, message, piped or message,
                          function))
        return function
    return register


def header_case(name, message, **fields):
    """A mutation of the file header with the right checksum."""
    mutation(message)(named(name, lambda image, _work:
                            image.change_header(**fields)))


def record_case(name, message, which=COMPRESSED, piped=None, **fields):
    """A mutation of a record header; all checksums, index and footer are
    made for the changed one."""
    def change(image, _work):
        image.records[which].header.change(**fields)
        image.reindex()
    mutation(message, piped)(named(name, change))


def index_case(name, message, piped=None, **fields):
    """A mutation of the index header with the right checksum."""
    mutation(message, piped)(named(name, lambda image, _work:
                                   image.index.change(**fields)))


def entry_case(name, message, which=1, **fields):
    """A mutation of an index entry with the right checksums and totals."""
    def change(image, _work):
        for field, value in fields.items():
            image.entries[which][field] = value
        image.seal_index()
        image.total()
    mutation(message, NOT_THE_RECORDS)(named(name, change))


def footer_case(name, message, piped=None, **fields):
    """A mutation of the footer with the right checksum."""
    mutation(message, piped)(named(name, lambda image, _work:
                                   image.footer.change(**fields)))


def cut_case(name, length, message, piped=None):
    """The image cut off after LENGTH bytes, from its end if negative."""
    mutation(message, piped)(named(name, lambda image, _work:
                                   image.data()[:length]))


def named(name, function):
    function.__name__ = name
    return function


SUM = "0x[0-9a-f]{16}"
NOT_THE_RECORDS = "index: it does not agree with the records"
ENTRIES_SUM = "index: the checksum of its entries is wrong"
NOT_NAMED = "window {}: the record is not the one that the index names"
FOREIGN = "window {}: the record belongs to another image"


def accepted(function):
    """What a reader of this version must accept."""
    ACCEPTED.append((function.__name__, function))
    return function
