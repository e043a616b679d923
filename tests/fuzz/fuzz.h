/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the fuzz targets share: taking values from the input */
#ifndef PVPMU_TESTS_FUZZ_H
#define PVPMU_TESTS_FUZZ_H

#include "fake.h"

struct input {
	const u8 *data;
	size_t len;
};

/* Little endian, zeros after the end */
static inline u64 take(struct input *in, u32 bytes)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < bytes && in->len; i++) {
		value |= (u64)*in->data << 8 * i;
		in->data++;
		in->len--;
	}
	return value;
}

static inline u8 take8(struct input *in)
{
	return (u8)take(in, 1);
}

/* A number of any size, small ones being as likely as large ones */
static inline u64 take_number(struct input *in)
{
	u32 bits = take8(in) % 65;
	u64 value = take(in, (bits + 7) / 8);

	return bits == 64 ? value : value & ((1ull << bits) - 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#endif /* PVPMU_TESTS_FUZZ_H */
