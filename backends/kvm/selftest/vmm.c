// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "vmm.h"

#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_CALL 0x1000
#define CODE_CPUID 0x1100
#define CODE_LOOP 0x1200
#define CODE_CRASH 0x1300
#define PML4 0x2000
#define PDPT 0x3000
#define PD 0x4000

/* Each ends with "out %al,$0x10", which brings the vCPU back to us. */
static const uint8_t code_call[] = { 0x0f, 0x01, 0xd9, 0xe6, 0x10 };
static const uint8_t code_vmcall[] = { 0x0f, 0x01, 0xc1, 0xe6, 0x10 };
static const uint8_t code_cpuid[] = { 0x0f, 0xa2, 0xe6, 0x10 };
/* 1: sub $1,%ecx; jnz 1b */
static const uint8_t code_loop[] = { 0x83, 0xe9, 0x01, 0x75,
				     0xfb, 0xe6, 0x10 };

/* ud2, with no handler for it: a triple fault */
static const uint8_t code_crash[] = { 0x0f, 0x0b };

bool vmm_is_amd(void)
{
	uint32_t a = 0, b, c, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x68747541;
}

static void fill_memory(uint8_t *m)
{
	uint64_t entry;
	int i;

	memcpy(m + CODE_CALL, vmm_is_amd() ? code_call : code_vmcall,
	       sizeof(code_call));
	memcpy(m + CODE_CPUID, code_cpuid, sizeof(code_cpuid));
	memcpy(m + CODE_LOOP, code_loop, sizeof(code_loop));
	memcpy(m + CODE_CRASH, code_crash, sizeof(code_crash));
	entry = PDPT | 7;
	memcpy(m + PML4, &entry, 8);
	entry = PD | 7;
	memcpy(m + PDPT, &entry, 8);
	for (i = 0; i < 512; i++) {
		entry = (uint64_t)i << 21 | 0x87;
		memcpy(m + PD + i * 8, &entry, 8);
	}
}

void vmm_slot(struct vmm *v, uint32_t slot, uint32_t flags, uint64_t gpa,
	      uint64_t size, void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	if (ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &region))
		err(125, "KVM_SET_USER_MEMORY_REGION");
}

static void set_cpuid(int kvm, int vcpu)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[200];
	} cpuid;

	cpuid.head.nent = 200;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) ||
	    ioctl(vcpu, KVM_SET_CPUID2, &cpuid))
		err(125, "cpuid");
}

static uint8_t *map(int file)
{
	uint8_t *p = mmap(NULL, VMM_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED,
			  file, 0);

	if (p == MAP_FAILED)
		err(125, "mmap");
	return p;
}

static void make_memory(struct vmm *v)
{
	v->file = memfd_create("guest", MFD_CLOEXEC);
	if (v->file < 0 || ftruncate(v->file, VMM_MEMORY))
		err(125, "memfd");
	v->memory = map(v->file);
	v->guest = map(v->file);
	fill_memory(v->memory);
	vmm_slot(v, 0, 0, 0, VMM_MEMORY, v->guest);
}

void vmm_make_runnable(struct vmm *v, int vcpu)
{
	struct kvm_mp_state state = { KVM_MP_STATE_RUNNABLE };

	if (ioctl(v->vcpu[vcpu].fd, KVM_SET_MP_STATE, &state))
		err(125, "KVM_SET_MP_STATE");
}

void vmm_create(struct vmm *v, bool irqchip)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int i, size;

	memset(v, 0, sizeof(*v));
	if (kvm < 0)
		err(125, "/dev/kvm");
	v->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (v->vm < 0)
		err(125, "KVM_CREATE_VM");
	if (irqchip && ioctl(v->vm, KVM_CREATE_IRQCHIP))
		err(125, "KVM_CREATE_IRQCHIP");
	make_memory(v);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (i = 0; i < VMM_VCPUS; i++) {
		v->vcpu[i].fd = ioctl(v->vm, KVM_CREATE_VCPU, i);
		if (v->vcpu[i].fd < 0)
			err(125, "KVM_CREATE_VCPU");
		v->vcpu[i].run = mmap(NULL, size, PROT_READ | PROT_WRITE,
				      MAP_SHARED, v->vcpu[i].fd, 0);
		if (v->vcpu[i].run == MAP_FAILED)
			err(125, "mmap of a vCPU");
		set_cpuid(kvm, v->vcpu[i].fd);
		if (irqchip)
			vmm_make_runnable(v, i);
		vmm_mode(v, i, KERNEL64);
	}
	close(kvm);
}

void vmm_destroy(struct vmm *v)
{
	int i;

	for (i = 0; i < VMM_VCPUS; i++) {
		munmap(v->vcpu[i].run, 4096 * 3);
		close(v->vcpu[i].fd);
	}
	close(v->vm);
	munmap(v->memory, VMM_MEMORY);
	munmap(v->guest, VMM_MEMORY);
	close(v->file);
}

static void segment(struct kvm_segment *s, bool code, bool wide, bool big,
		    int dpl)
{
	memset(s, 0, sizeof(*s));
	s->limit = big ? 0xffffffff : 0xffff;
	s->selector = (code ? 8 : 16) | dpl;
	s->type = code ? 11 : 3;
	s->present = 1;
	s->dpl = dpl;
	s->s = 1;
	s->l = code && wide;
	s->db = big && !s->l;
	s->g = big;
}

void vmm_mode(struct vmm *v, int vcpu, enum vmm_mode mode)
{
	bool wide = mode == KERNEL64 || mode == USER64;
	int dpl = mode == USER64 ? 3 : 0;
	struct kvm_sregs s;

	if (ioctl(v->vcpu[vcpu].fd, KVM_GET_SREGS, &s))
		err(125, "KVM_GET_SREGS");
	segment(&s.cs, true, wide, mode != REAL16, dpl);
	segment(&s.ds, false, wide, mode != REAL16, dpl);
	s.es = s.fs = s.gs = s.ss = s.ds;
	if (mode == REAL16)
		s.cs.selector = s.ss.selector = 0;
	s.cr0 = 0x10 | (mode != REAL16) | (wide ? 0x80000000 : 0);
	s.cr3 = PML4;
	s.cr4 = wide ? 0x20 : 0;
	s.efer = wide ? 0x500 : 0;
	if (ioctl(v->vcpu[vcpu].fd, KVM_SET_SREGS, &s))
		err(125, "KVM_SET_SREGS");
}

/* Runs the guest from regs->rip until it exits for @reason. */
static void run_until(struct vmm *v, int vcpu, struct kvm_regs *regs,
		      uint32_t reason)
{
	int fd = v->vcpu[vcpu].fd;
	struct kvm_run *r = v->vcpu[vcpu].run;

	regs->rflags = 2 | 3 << 12;
	if (ioctl(fd, KVM_SET_REGS, regs))
		err(125, "KVM_SET_REGS");
	while (ioctl(fd, KVM_RUN, 0) || r->exit_reason == KVM_EXIT_INTR)
		;
	if (r->exit_reason != reason)
		errx(125, "the guest ended with exit reason %u",
		     r->exit_reason);
	if (ioctl(fd, KVM_GET_REGS, regs))
		err(125, "KVM_GET_REGS");
}

/* Runs it to its next "out". */
static void run(struct vmm *v, int vcpu, struct kvm_regs *regs)
{
	run_until(v, vcpu, regs, KVM_EXIT_IO);
}

int64_t vmm_call(struct vmm *v, int vcpu, uint64_t number, uint64_t op,
		 uint64_t a, uint64_t b, uint64_t c)
{
	struct kvm_regs regs = {
		.rip = CODE_CALL,
		.rax = number,
		.rbx = op,
		.rcx = a,
		.rdx = b,
		.rsi = c,
	};

	run(v, vcpu, &regs);
	return regs.rax;
}

int64_t vmm_op(struct vmm *v, int vcpu, uint32_t op, uint32_t a, uint32_t b,
	       uint32_t c)
{
	return vmm_call(v, vcpu, v->hypercall, v->op_base + op, a, b, c);
}

void vmm_cpuid(struct vmm *v, uint32_t leaf, uint32_t out[4])
{
	struct kvm_regs regs = { .rip = CODE_CPUID, .rax = leaf };

	run(v, 0, &regs);
	out[0] = regs.rax;
	out[1] = regs.rbx;
	out[2] = regs.rcx;
	out[3] = regs.rdx;
}

void vmm_loop(struct vmm *v, int vcpu, uint32_t n)
{
	struct kvm_regs regs = { .rip = CODE_LOOP, .rcx = n };

	run(v, vcpu, &regs);
}

void vmm_crash(struct vmm *v, int vcpu)
{
	struct kvm_regs regs = { .rip = CODE_CRASH };

	run_until(v, vcpu, &regs, KVM_EXIT_SHUTDOWN);
}

struct pvpmu_area *vmm_area(struct vmm *v, int n)
{
	return (struct pvpmu_area *)(v->memory + VMM_AREA(n) * 4096ul);
}

static int32_t ask(struct vmm *v, unsigned long command,
		   struct pvpmu_kvm_record *arg, int vcpu)
{
	int device = open("/dev/" PVPMU_KVM_DEVICE, O_RDWR | O_CLOEXEC);

	arg->vm = v->vm;
	arg->vcpu = vcpu;
	arg->reserved = 0;
	if (device < 0 || ioctl(device, command, arg))
		err(125, "/dev/" PVPMU_KVM_DEVICE);
	close(device);
	return arg->result;
}

int32_t vmm_save(struct vmm *v, int vcpu, struct pvpmu_record *record)
{
	struct pvpmu_kvm_record arg = { 0 };
	int32_t result = ask(v, PVPMU_KVM_SAVE, &arg, vcpu);

	*record = arg.record;
	return result;
}

int32_t vmm_restore(struct vmm *v, int vcpu, const struct pvpmu_record *record)
{
	struct pvpmu_kvm_record arg = { .record = *record };

	return ask(v, PVPMU_KVM_RESTORE, &arg, vcpu);
}

/* As guests do it. */
bool vmm_discover(struct vmm *v)
{
	uint32_t base, r[4];

	v->hypercall = 0;
	for (base = PVPMU_CPUID_FIRST; base <= PVPMU_CPUID_LAST;
	     base += PVPMU_CPUID_STEP) {
		vmm_cpuid(v, base, r);
		if (r[1] == PVPMU_SIGNATURE_EBX &&
		    r[2] == PVPMU_SIGNATURE_ECX && r[3] == PVPMU_SIGNATURE_EDX)
			break;
	}
	if (base > PVPMU_CPUID_LAST)
		return false;
	vmm_cpuid(v, base + 1, r);
	v->hypercall = r[3];
	v->features = r[2];
	vmm_cpuid(v, base + 2, r);
	v->op_base = r[0];
	return true;
}
