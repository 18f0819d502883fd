# SPDX-License-Identifier: LGPL-2.1-or-later
# XXH3 with 64 bits of result, seed 0 and the default secret, written from
# doc/xxhash_spec.md of xxHash.  Slow, and without any library.

import struct

MASK_32 = (1 << 32) - 1
MASK_64 = (1 << 64) - 1

PRIME32_1 = 0x9E3779B1
PRIME32_2 = 0x85EBCA77
PRIME32_3 = 0xC2B2AE3D
PRIME64_1 = 0x9E3779B185EBCA87
PRIME64_2 = 0xC2B2AE3D27D4EB4F
PRIME64_3 = 0x165667B19E3779F9
PRIME64_4 = 0x85EBCA77C2B2AE63
PRIME64_5 = 0x27D4EB2F165667C5
PRIME_MX1 = 0x165667919E3779F9
PRIME_MX2 = 0x9FB21C651E98DF25

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE = 64
BLOCK = STRIPE * ((len(SECRET) - STRIPE) // 8)


def words(data, offset, count):
    """COUNT 64-bit words at OFFSET."""
    return struct.unpack_from(f"<{count}Q", data, offset)


def fold(a, b):
    """The 128-bit product, its halves combined."""
    product = a * b
    return (product & MASK_64) ^ (product >> 64)


def rotate(value, count):
    return (value << count | value >> (64 - count)) & MASK_64


def avalanche(value):
    value ^= value >> 37
    value = value * PRIME_MX1 & MASK_64
    return value ^ value >> 32


def avalanche_xxh64(value):
    value ^= value >> 33
    value = value * PRIME64_2 & MASK_64
    value ^= value >> 29
    value = value * PRIME64_3 & MASK_64
    return value ^ value >> 32


# Up to 16 bytes.

def hash_empty():
    first, second = words(SECRET, 56, 2)
    return avalanche_xxh64(first ^ second)


def hash_1_to_3(data):
    combined = (data[-1] | len(data) << 8 | data[0] << 16
                | data[len(data) >> 1] << 24)
    first, second = struct.unpack_from("<2I", SECRET, 0)
    return avalanche_xxh64(first ^ second ^ combined)


def hash_4_to_8(data):
    first, = struct.unpack_from("<I", data, 0)
    last, = struct.unpack_from("<I", data, len(data) - 4)
    secret = words(SECRET, 8, 2)
    value = secret[0] ^ secret[1] ^ (last | first << 32)
    value ^= rotate(value, 49) ^ rotate(value, 24)
    value = value * PRIME_MX2 & MASK_64
    value ^= (value >> 35) + len(data)
    value = value * PRIME_MX2 & MASK_64
    return value ^ value >> 28


def hash_9_to_16(data):
    secret = words(SECRET, 24, 4)
    low = secret[0] ^ secret[1] ^ words(data, 0, 1)[0]
    high = secret[2] ^ secret[3] ^ words(data, len(data) - 8, 1)[0]
    swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
    return avalanche((len(data) + swapped + high + fold(low, high)) & MASK_64)


# 17 to 240 bytes.

def mix(data, offset, secret_offset):
    first, second = words(data, offset, 2)
    secret = words(SECRET, secret_offset, 2)
    return fold(first ^ secret[0], second ^ secret[1])


def hash_17_to_128(data):
    total = len(data) * PRIME64_1
    for i in range((len(data) - 1) >> 5, -1, -1):
        total += mix(data, 16 * i, 32 * i)
        total += mix(data, len(data) - 16 * i - 16, 32 * i + 16)
    return avalanche(total & MASK_64)


def hash_129_to_240(data):
    total = len(data) * PRIME64_1
    for i in range(8):
        total += mix(data, 16 * i, 16 * i)
    total = avalanche(total & MASK_64)
    for i in range(8, len(data) >> 4):
        total += mix(data, 16 * i, 16 * (i - 8) + 3)
    total += mix(data, len(data) - 16, 119)
    return avalanche(total & MASK_64)


# More.

def accumulate(state, data, offset, secret_offset):
    stripe = words(data, offset, 8)
    secret = words(SECRET, secret_offset, 8)
    for i in range(8):
        value = stripe[i] ^ secret[i]
        state[i ^ 1] += stripe[i]
        state[i] += (value & MASK_32) * (value >> 32)


def accumulate_stripes(state, data, offset, count):
    for i in range(count):
        accumulate(state, data, offset + i * STRIPE, 8 * i)


def scramble(state):
    secret = words(SECRET, len(SECRET) - STRIPE, 8)
    for i in range(8):
        value = state[i] & MASK_64
        value ^= value >> 47
        state[i] = (value ^ secret[i]) * PRIME32_1 & MASK_64


def merge(state, start):
    secret = words(SECRET, 11, 8)
    for i in range(0, 8, 2):
        start += fold(state[i] & MASK_64 ^ secret[i],
                      state[i + 1] & MASK_64 ^ secret[i + 1])
    return avalanche(start & MASK_64)


def hash_long(data):
    state = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3,
             PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
    last = (len(data) - 1) // BLOCK * BLOCK
    for offset in range(0, last, BLOCK):
        accumulate_stripes(state, data, offset, BLOCK // STRIPE)
        scramble(state)
    accumulate_stripes(state, data, last, (len(data) - last - 1) // STRIPE)
    accumulate(state, data, len(data) - STRIPE, len(SECRET) - 71)
    return merge(state, len(data) * PRIME64_1)


def xxh3_64(data):
    """The checksum of DATA, a number."""
    length = len(data)
    if length == 0:
        return hash_empty()
    if length <= 3:
        return hash_1_to_3(data)
    if length <= 8:
        return hash_4_to_8(data)
    if length <= 16:
        return hash_9_to_16(data)
    if length <= 128:
        return hash_17_to_128(data)
    if length <= 240:
        return hash_129_to_240(data)
    return hash_long(data)
