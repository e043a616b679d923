// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * corebench: what core's operations cost, without any hypervisor
 *
 * A child makes the calls, on a backend that does nothing and on the process
 * backend; its parent single-steps it meanwhile.  So what is printed are
 * instructions executed and ops of the backend called (system calls for the
 * process backend): exact, and the same on each run of the same binary.  A
 * string instruction counts once for each of its steps.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <guest.h>
#include <process.h>

#define INT3 0xcc
#define SYSCALL 0x050f
#define FRAME 7
#define VCPUS 256

/* What the parent counted between the child's last two marks */
struct count {
	u64 instructions;
	u64 syscalls;
};

static struct count *counted;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "corebench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * The parent
 */

/* The code at the place where the child is, its first bytes */
static u64 code(pid_t child)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		die("ptrace");
	return (u64)ptrace(PTRACE_PEEKTEXT, child, (void *)regs.rip, NULL);
}

/* Lets the child go on; false when it has ended. */
static bool go(pid_t child, int request, int *status)
{
	if (ptrace(request, child, NULL, NULL))
		die("ptrace");
	if (waitpid(child, status, 0) != child)
		die("waitpid");
	return WIFSTOPPED(*status);
}

/* From one mark to the next */
static void count_steps(pid_t child)
{
	struct count count = { 0 };
	u64 next = code(child);
	int status;

	while ((next & 0xff) != INT3) {
		count.instructions++;
		count.syscalls += (next & 0xffff) == SYSCALL;
		if (!go(child, PTRACE_SINGLESTEP, &status))
			return;
		next = code(child);
	}
	*counted = count;
	go(child, PTRACE_CONT, &status);
}

static int watch(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	while (go(child, PTRACE_CONT, &status))
		count_steps(child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * The child
 */

typedef void (*work_fn)(void *data);

static void nothing(void *data)
{
	(void)data;
}

static struct count measured(work_fn fn, void *data)
{
	__asm__ volatile("int3" : : : "memory");
	fn(data);
	__asm__ volatile("int3" : : : "memory");
	return *counted;
}

static struct count cost(work_fn fn, void *data)
{
	struct count overhead = measured(nothing, data);
	struct count count = measured(fn, data);

	count.instructions -= overhead.instructions;
	return count;
}

/* A backend that does nothing; counters count nothing. */
struct null {
	struct pvpmu_vcpu vcpu;
	struct pvpmu_area area;
	u64 ops;
};

static struct null *null_of(struct pvpmu_vcpu *vcpu)
{
	struct null *null = (struct null *)vcpu;

	null->ops++;
	return null;
}

static u32 null_query(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc)
{
	(void)desc;
	null_of(vcpu);
	return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
}

static enum pvpmu_answer null_attach(struct pvpmu_vcpu *vcpu, u64 frame)
{
	null_of(vcpu);
	return frame == FRAME ? PVPMU_DONE : PVPMU_NEVER;
}

static void null_op(struct pvpmu_vcpu *vcpu)
{
	null_of(vcpu);
}

static bool null_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to,
			   u32 len)
{
	memcpy(to, (char *)&null_of(vcpu)->area + offset, len);
	return true;
}

static bool null_area_write(struct pvpmu_vcpu *vcpu, u32 offset,
			    const void *from, u32 len)
{
	memcpy((char *)&null_of(vcpu)->area + offset, from, len);
	return true;
}

static bool null_area_line(struct pvpmu_vcpu *vcpu, u32 offset,
			   const void *line)
{
	pvpmu_line_store((char *)&null_of(vcpu)->area + offset, line);
	return true;
}

static bool null_area_or32(struct pvpmu_vcpu *vcpu, u32 offset, u32 bits,
			   u32 *old)
{
	*old = env_or32((u32 *)((char *)&null_of(vcpu)->area + offset), bits);
	return true;
}

static bool null_deliver(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	(void)delivery;
	(void)port;
	null_of(vcpu);
	return true;
}

static enum pvpmu_answer null_create(struct pvpmu_vcpu *vcpu, u32 counter,
				     const struct pvpmu_desc *desc)
{
	(void)counter;
	(void)desc;
	null_of(vcpu);
	return PVPMU_DONE;
}

static void null_counter(struct pvpmu_vcpu *vcpu, u32 counter)
{
	(void)counter;
	null_of(vcpu);
}

static bool null_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	(void)counter;
	(void)left;
	null_of(vcpu);
	return true;
}

static void null_read(struct pvpmu_vcpu *vcpu, u32 counter,
		      struct pvpmu_reading *reading)
{
	(void)counter;
	null_of(vcpu);
	*reading = (struct pvpmu_reading){ .active = true };
}

static u64 null_clock(void)
{
	return 1;
}

static void null_raise(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	(void)delivery;
	(void)port;
	null_of(vcpu);
}

static const struct pvpmu_host_ops null_ops = {
	.features = PVPMU_FEAT_LVTPC,
	.op_base = PVPMU_DEFAULT_OP_BASE,
	.query = null_query,
	.area_attach = null_attach,
	.area_detach = null_op,
	.area_read = null_area_read,
	.area_write = null_area_write,
	.area_line = null_area_line,
	.area_or32 = null_area_or32,
	.deliver = null_deliver,
	.create = null_create,
	.destroy = null_counter,
	.start = null_start,
	.stop = null_counter,
	.read = null_read,
	.kick = null_op,
	.raise = null_raise,
	.clock = null_clock,
	.idle = null_op,
};

static struct pvpmu_vm vm;
static struct null *vcpus;

static s32 call(struct null *null, u32 op, u32 a, u32 b, u32 c)
{
	const struct pvpmu_call call = {
		.op = PVPMU_DEFAULT_OP_BASE + op,
		.arg = { a, b, c },
		.kernel = true,
	};

	return pvpmu_call(&null->vcpu, &call);
}

static u32 ids(u32 n)
{
	return (u32)((1ull << n) - 1);
}

static void describe(struct null *null, u32 id, u64 config, u64 period)
{
	null->area.slot[id].guest = (struct pvpmu_slot_guest){
		.type = PVPMU_TYPE_HARDWARE,
		.config = config % PVPMU_HW_END,
		.period = period,
		.leader = id,
	};
}

static void update(void *data)
{
	if (call(data, PVPMU_OP_UPDATE, 0, 0, 0))
		die("UPDATE");
}

/* A vCPU of @vm with its first @n slots counting, or sampling */
static void start(struct null *null, u32 n, u64 period)
{
	u32 id;

	pvpmu_vcpu_init(&null->vcpu, &vm, &null_ops);
	null->area.guest.version = PVPMU_ABI_VERSION;
	null->area.guest.features = PVPMU_FEAT_LVTPC;
	if (call(null, PVPMU_OP_SETUP, FRAME, 0, PVPMU_DELIVER_LVTPC))
		die("SETUP");
	for (id = 0; id < n; id++)
		describe(null, id, id, period);
	null->area.guest = (struct pvpmu_header_guest){
		.open = ids(n),
		.enable = ids(n),
	};
	update(null);
}

static void stop(struct null *null)
{
	pvpmu_vcpu_detach(&null->vcpu);
}

static void report(const char *name, struct null *null, work_fn fn)
{
	struct count count;
	u64 ops;

	/* the first time, there are other things to do */
	fn(null);
	ops = null->ops;
	fn(null);
	ops = null->ops - ops;
	count = cost(fn, null);
	printf("%-44s %12llu %5llu\n", name,
	       (unsigned long long)count.instructions, (unsigned long long)ops);
}

/* Alternately: the first 15 slots' events end and the others' begin. */
static void swap(void *data)
{
	struct null *null = data;
	struct pvpmu_header_guest *masks = &null->area.guest;
	u32 others = masks->close;

	masks->close = masks->open;
	masks->open = others;
	masks->enable = others;
	update(null);
}

static void bench_switch(u32 n)
{
	char name[64];
	u32 id;

	start(vcpus, n, 0);
	for (id = 0; id < n; id++)
		describe(vcpus, 15 + id, id, 0);
	vcpus->area.guest = (struct pvpmu_header_guest){
		.open = ids(n),
		.close = ids(n) << 15,
	};
	snprintf(name, sizeof(name), "close %u, open and enable %u alike", n,
		 n);
	report(name, vcpus, swap);
	stop(vcpus);
}

static void bench_update_read(u32 n, u32 open)
{
	char name[64];

	start(vcpus, open, 0);
	vcpus->area.guest = (struct pvpmu_header_guest){ .read = ids(n) };
	snprintf(name, sizeof(name), "UPDATE that reads %u of %u open", n,
		 open);
	report(name, vcpus, update);
	stop(vcpus);
}

static void read_one(void *data)
{
	call(data, PVPMU_OP_READ, 0, 0, 0);
}

static void open_and_close(void *data)
{
	call(data, PVPMU_OP_OPEN, 29, 0, 0);
	call(data, PVPMU_OP_CLOSE, 29, 0, 0);
}

static void sample(void *data)
{
	struct null *null = data;

	pvpmu_overflow(&null->vcpu, null->vcpu.slot[0].counter);
	pvpmu_publish(&null->vcpu);
	null->area.overflow.pending = 0;
}

static void bench_among(const char *name, u32 n, u64 period, work_fn fn)
{
	char text[64];

	start(vcpus, n, period);
	describe(vcpus, 29, 0, 0);
	snprintf(text, sizeof(text), "%s, %u open", name, n);
	report(text, vcpus, fn);
	stop(vcpus);
}

static void bench_vcpus(u32 n)
{
	char text[64];
	u32 i;

	for (i = 0; i < n; i++)
		start(&vcpus[i], 29, 0);
	describe(vcpus, 29, 0, 0);
	snprintf(text, sizeof(text), "OPEN + CLOSE, VM of %u vCPUs", n);
	report(text, vcpus, open_and_close);
	for (i = 0; i < n; i++)
		stop(&vcpus[i]);
}

static void null_backend(void)
{
	struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
	static const u32 counts[] = { 1, 2, 4, 6, 12 };
	u32 i;

	limits.slots_vm = VCPUS * PVPMU_MAX_SLOTS;
	limits.overflow_rate = ~0u;
	pvpmu_vm_init(&vm, &limits);
	vcpus = calloc(VCPUS, sizeof(*vcpus));
	if (!vcpus)
		die("calloc");

	printf("%-44s %12s %5s\n", "a backend that does nothing",
	       "instructions", "ops");
	for (i = 0; i < 5; i++)
		bench_switch(counts[i]);
	for (i = 0; i < 5; i++)
		bench_update_read(counts[i], counts[i]);
	bench_update_read(1, 29);
	bench_among("READ", 1, 0, read_one);
	bench_among("READ", 29, 0, read_one);
	bench_among("OPEN + CLOSE", 1, 0, open_and_close);
	bench_among("OPEN + CLOSE", 29, 0, open_and_close);
	bench_among("an overflow, until it is published", 1, 5000, sample);
	bench_among("an overflow, until it is published", 29, 5000, sample);
	bench_vcpus(1);
	bench_vcpus(16);
	bench_vcpus(VCPUS);
}

/*
 * The process backend.  It counts the clock, which every machine has.
 */

struct process {
	struct pvpmu_process_vm vm;
	struct pvpmu_process_vcpu vcpu;
	struct pvpmu_guest guest;
	struct pvpmu_masks masks;
};

static void process_update(void *data)
{
	struct process *p = data;

	pvpmu_guest_update(&p->guest, &p->masks);
}

/* The first @n slots, of which those of the mask @open are open already */
static void bench_process(struct process *p, u32 n, u32 open)
{
	const struct pvpmu_event event = { .type = PVPMU_TYPE_CLOCK };
	struct count count;
	char name[64];
	u32 id;

	/* Nothing is closed: a counter without a user brings other work. */
	for (id = 0; id < n; id++)
		pvpmu_guest_describe(&p->guest, id, &event);
	p->masks = (struct pvpmu_masks){
		.open = ids(n) & ~open,
		.enable = ids(n) & ~open,
	};
	process_update(p);
	p->masks = (struct pvpmu_masks){ .read = ids(n) };
	process_update(p);
	count = cost(process_update, p);
	snprintf(name, sizeof(name), "UPDATE that reads %u", n);
	printf("%-44s %12llu %5llu\n", name,
	       (unsigned long long)count.instructions,
	       (unsigned long long)count.syscalls);
}

static void process_backend(void)
{
	static _Alignas(4096) struct pvpmu_area area;
	static struct process p;
	const struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
	const struct pvpmu_process_guest runs = { .target = 0 };
	const struct pvpmu_machine machine = {
		.cpuid = pvpmu_process_cpuid,
		.call = pvpmu_process_call,
		.data = &p.vcpu,
	};

	pvpmu_process_vm_init(&p.vm, &limits, &area, 1);
	if (!pvpmu_process_vcpu_init(&p.vcpu, &p.vm, &runs))
		die("process backend");
	if (pvpmu_guest_setup(&p.guest, &machine, &area, 0,
			      PVPMU_DELIVER_NONE))
		die("SETUP");
	if (pvpmu_guest_query(&p.guest,
			      &(struct pvpmu_event){
				      .type = PVPMU_TYPE_CLOCK }) < 0) {
		printf("\nthe process backend: perf_event_open(2) is not allowed here\n");
		return;
	}
	printf("\n%-44s %12s %5s\n", "the process backend, events alike",
	       "instructions", "calls");
	bench_process(&p, 1, 0);
	bench_process(&p, 6, ids(1));
	bench_process(&p, PVPMU_MAX_SLOTS, ids(6));
	pvpmu_process_vcpu_end(&p.vcpu);
}

static void sizes(void)
{
	printf("\n%-44s %12s\n", "core's memory on the host", "bytes");
	printf("%-44s %12zu\n", "a VM", sizeof(struct pvpmu_vm));
	printf("%-44s %12zu\n", "a vCPU, all slots and counters included",
	       sizeof(struct pvpmu_vcpu));
	printf("%-44s %12zu\n", "  of these, a slot (30)",
	       sizeof(struct pvpmu_slot_state));
	printf("%-44s %12zu\n", "  of these, a counter (48)",
	       sizeof(struct pvpmu_counter));
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc > 1) {
		fputs("usage: corebench\n", argv[1][0] == '-' ? stdout : stderr);
		return argv[1][0] == '-' ? 0 : 2;
	}
	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counted == MAP_FAILED)
		die("mmap");
	child = fork();
	if (child < 0)
		die("fork");
	if (child)
		return watch(child);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		die("ptrace");
	null_backend();
	process_backend();
	sizes();
	return 0;
}
