/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine monitor of a page or two: its guest is one hypercall, one
 * CPUID or one loop at a time, with the registers and in the mode that the
 * test wants.
 */
#ifndef VMM_H
#define VMM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "../uapi.h"

#define VMM_VCPUS 2
#define VMM_MEMORY (16u << 20)
#define VMM_AREA(n) (0x100u + (n)) /* frames that tests use as areas */

enum vmm_mode { REAL16, KERNEL32, KERNEL64, USER64 };

/**
 * struct vmm - a VM
 * @vm: its descriptor
 * @memory: guest physical memory from 0 on
 * @guest: the same memory, mapped again for KVM, so that it can be taken away
 *         from the guest alone
 * @file: what the two are mappings of
 * @vcpu: its vCPUs
 * @fd: a vCPU's descriptor
 * @run: what it shares with KVM
 * @hypercall: number that CPUID told, 0 if there is no pvpmu
 * @op_base: operation base that CPUID told
 * @features: PVPMU_FEAT_* that CPUID told
 * @incoming: a record that a test has for one of its vCPUs
 */
struct vmm {
	int vm;
	uint8_t *memory;
	uint8_t *guest;
	int file;
	struct {
		int fd;
		struct kvm_run *run;
	} vcpu[VMM_VCPUS];
	uint32_t hypercall;
	uint32_t op_base;
	uint32_t features;
	struct pvpmu_record incoming;
};

void vmm_create(struct vmm *v, bool irqchip);
void vmm_destroy(struct vmm *v);
void vmm_slot(struct vmm *v, uint32_t slot, uint32_t flags, uint64_t gpa,
	      uint64_t size, void *memory);
bool vmm_is_amd(void);
bool vmm_discover(struct vmm *v);
void vmm_make_runnable(struct vmm *v, int vcpu);
void vmm_mode(struct vmm *v, int vcpu, enum vmm_mode mode);
void vmm_cpuid(struct vmm *v, uint32_t leaf, uint32_t regs[4]);
int64_t vmm_call(struct vmm *v, int vcpu, uint64_t number, uint64_t op,
		 uint64_t a, uint64_t b, uint64_t c);
int64_t vmm_op(struct vmm *v, int vcpu, uint32_t op, uint32_t a, uint32_t b,
	       uint32_t c);
void vmm_loop(struct vmm *v, int vcpu, uint32_t n);
void vmm_crash(struct vmm *v, int vcpu);
struct pvpmu_area *vmm_area(struct vmm *v, int n);
int32_t vmm_save(struct vmm *v, int vcpu, struct pvpmu_record *record);
int32_t vmm_restore(struct vmm *v, int vcpu, const struct pvpmu_record *record);

#endif
