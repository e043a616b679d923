// SPDX-License-Identifier: GPL-2.0-only
/* ring3: makes hypercalls from user mode.  All of them must be refused. */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pvpmu/abi.h>

int main(void)
{
	unsigned int base, a, b, c, d, number, opbase, op;
	int bad = 0;

	for (base = PVPMU_CPUID_FIRST; base <= PVPMU_CPUID_LAST;
	     base += PVPMU_CPUID_STEP) {
		__cpuid(base, a, b, c, d);
		if (b == PVPMU_SIGNATURE_EBX && c == PVPMU_SIGNATURE_ECX &&
		    d == PVPMU_SIGNATURE_EDX)
			break;
	}
	if (base > PVPMU_CPUID_LAST) {
		printf("FAIL ring3: no pvpmu in CPUID\n");
		return 1;
	}
	__cpuid(base + 1, a, b, c, number);
	__cpuid(base + 2, opbase, b, c, d);
	for (op = 0; op <= PVPMU_OP_UPDATE + 1; op++) {
		int64_t r;

		asm volatile("vmmcall" : "=a"(r)
			     : "a"((uint64_t)number), "b"((uint64_t)opbase + op),
			       "c"(0ULL), "d"(0ULL), "S"(0ULL) : "memory");
		if ((int32_t)r != PVPMU_ERR_DENIED &&
		    (int32_t)r != PVPMU_ERR_OPERATION) {
			printf("operation %u from user mode: %d\n", op, (int)r);
			bad = 1;
		}
	}
	printf("%s ring3: user mode is refused\n", bad ? "FAIL" : "PASS");
	return bad;
}
