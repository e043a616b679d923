/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of Linux as the guest driver's own logic needs to run in a process:
 * one CPU, whose only NMIs are those that a test lets in.  The kernel's headers
 * beside this one all lead here.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <pvpmu/env.h>

typedef int64_t ktime_t;

#define THIS_MODULE NULL

#define ENOENT 2
#define ENXIO 6
#define EAGAIN 11
#define ENODEV 19
#define EINVAL 22
#define EPROTO 71
#define EOPNOTSUPP 95

#define NSEC_PER_MSEC 1000000ll
#define NSEC_PER_SEC 1000000000ll

#define BIT(n) (1u << (n))
#define GENMASK(h, l) (((2u << ((h) - (l))) - 1) << (l))
#define GENMASK_ULL(h, l) (((2ull << ((h) - (l))) - 1) << (l))
#define __ffs(mask) ((u32)__builtin_ctz(mask))
#define hweight32(mask) ((u32)__builtin_popcount(mask))
#define lower_32_bits(n) ((u32)(n))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp_t(type, v, lo, hi) \
	min(max((type)(v), (type)(lo)), (type)(hi))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

/* Where an NMI may come in: the test's choice. */
void shim_moment(void);
#define barrier() shim_moment()
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define cpu_relax() ((void)0)
#define xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

#define WARN_ON_ONCE(condition) shim_warn(condition)
bool shim_warn(bool condition);
bool in_nmi(void);
bool in_hardirq(void);

typedef struct {
	s64 value;
} local64_t;

#define local64_read(l) READ_ONCE((l)->value)
#define local64_set(l, v) WRITE_ONCE((l)->value, (s64)(v))
#define local64_add(v, l) ((l)->value += (s64)(v))

static inline s64 local64_cmpxchg(local64_t *l, s64 old, s64 value)
{
	__atomic_compare_exchange_n(&l->value, &old, value, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

/* One CPU */
#define __percpu
#define DECLARE_PER_CPU(type, name) extern type name
#define DEFINE_PER_CPU(type, name) type name
#define this_cpu_ptr(p) (p)
#define raw_cpu_ptr(p) (p)
#define cpu_online_mask NULL
#define cpumask_first(mask) 0

#define per_cpu_ptr(p, cpu) ((void)(cpu), (p))
#define for_each_online_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define num_online_cpus() 1u

#define local_irq_save(flags) ((void)((flags) = 0))
#define local_irq_restore(flags) ((void)(flags))
#define local_irq_disable() ((void)0)
#define local_irq_enable() ((void)0)

static inline void free_percpu(void *p)
{
	(void)p;
}

static inline void rcu_barrier(void)
{
}

/* linux/kconfig.h: 1 where the option is defined as 1, 0 where it is not */
#define IS_ENABLED(option) SHIM_IS_ONE(option)
#define SHIM_IS_ONE(value) SHIM_SECOND(SHIM_COMMA_##value 1, 0, 0)
#define SHIM_COMMA_1 0,
#define SHIM_SECOND(...) SHIM_SECOND_OF(__VA_ARGS__)
#define SHIM_SECOND_OF(first, second, ...) second

/* asm/processor.h, linux/sched.h, xen/xen.h */
struct pt_regs {
	unsigned long r11, bp, cx;
	unsigned long ip, cs, flags, sp, ss; /* what the CPU pushes */
};

#define THREAD_SIZE 16384ul

struct task_struct {
	u32 flags;
	void *mm;
	struct perf_event_context *perf_event_ctxp[1];
	_Alignas(16) u8 stack[THREAD_SIZE];
};

struct entry_stack {
	_Alignas(16) u8 stack[4096];
};

struct cpuinfo {
	int x86_vendor;
	u32 features;
};

extern struct task_struct shim_task;
extern struct entry_stack shim_entry_stack;
extern struct cpuinfo boot_cpu_data;

#define current (&shim_task)
#define smp_processor_id() 0
#define cpu_entry_stack(cpu) (&shim_entry_stack)
#define task_stack_page(task) ((void *)(task)->stack)
#define task_pt_regs(task) \
	((struct pt_regs *)((task)->stack + THREAD_SIZE) - 1)
#define test_thread_flag(flag) (shim_task.flags & (flag))
#define TIF_ADDR32 0x100u
#define user_mode(regs) (((regs)->cs & 3) == 3)
#define __USER_CS 0x33u
#define __USER32_CS 0x23u
#define __USER_DS 0x2bu
/* User addresses are low ones, and none of the process's own. */
#define TASK_SIZE 0x10000ul
#define TASK_SIZE_MAX TASK_SIZE
#define PF_KTHREAD 1u
#define X86_VENDOR_INTEL 0
#define X86_VENDOR_AMD 2
#define X86_VENDOR_HYGON 9
#define X86_FEATURE_APIC 0
#define X86_FEATURE_SVM 1
#define X86_FEATURE_VMX 2
#define boot_cpu_has(feature) (boot_cpu_data.features & BIT(feature))
#define xen_pv_domain() false

struct apic {
	void (*write)(u32 reg, u32 value);
};

extern const struct apic *apic;

#define APIC_LVTPC 0x340u
#define APIC_DM_NMI 0x400u
#define APIC_LVT_MASKED 0x10000u

/* asm/nmi.h */
typedef int (*nmi_handler_t)(unsigned int type, struct pt_regs *regs);

#define NMI_LOCAL 0
#define NMI_DONE 0
#define NMI_HANDLED 1

int register_nmi_handler(unsigned int type, nmi_handler_t handler, int flags,
			 const char *name);
void unregister_nmi_handler(unsigned int type, const char *name);

/* linux/hrtimer.h, linux/irq_work.h */
struct hrtimer {
	bool active;
};

struct irq_work {
	bool queued;
};

static inline void irq_work_queue(struct irq_work *work)
{
	work->queued = true;
}

#define pr_info(...) ((void)0)

/* linux/perf_event.h */
#define PERF_TYPE_HARDWARE 0
#define PERF_TYPE_HW_CACHE 3
#define PERF_TYPE_RAW 4
#define PERF_ATTACH_TASK 4
#define PERF_HES_STOPPED 1
#define PERF_HES_UPTODATE 2
#define PERF_EF_START 1
#define PERF_EF_RELOAD 2
#define PERF_EF_UPDATE 4
#define PERF_PMU_TXN_ADD 1u
#define PERF_PMU_TXN_READ 2u
#define PERF_PMU_CAP_HETEROGENEOUS_CPUS 0x10
#define PERF_PMU_CAP_EXTENDED_HW_TYPE 0x100

enum { perf_invalid_context = -1, perf_hw_context };

struct perf_event_attr {
	u32 type;
	u32 size;
	u64 config;
	u64 config1;
	u64 config2;
	u64 branch_sample_type;
	u64 freq : 1, exclude_user : 1, exclude_kernel : 1, exclude_host : 1,
		exclude_guest : 1, exclude_idle : 1, pinned : 1, sigtrap : 1,
		disabled : 1, aux_output : 1, precise_ip : 2;
};

struct hw_perf_event {
	u64 config;
	u64 last_tag;
	u64 config_base;
	u64 event_base;
	u64 event_base_rdpmc;
	int idx;
	int flags;
	int state;
	u64 sample_period;
	u64 last_period;
	local64_t period_left;
};

struct perf_event_context {
	u64 time;
	int nr_events;
};

struct perf_cpu_context {
	struct perf_event_context ctx;
};

struct pmu;

struct perf_event {
	struct perf_event *group_leader;
	struct perf_event *parent;
	struct perf_event *sibling; /* of the same group, the next one */
	struct pmu *pmu;
	int nr_siblings;
	local64_t count;
	u64 total_time_enabled;
	u64 total_time_running;
	u64 tstamp;
	struct perf_event_attr attr;
	struct hw_perf_event hw;
	struct perf_event_context *ctx;
	void *rb;
	int cpu;
	u32 attach_state;
};

struct perf_sample_data {
	u64 period;
};

struct mm_struct;
struct attribute_group;

struct pmu {
	void *module;
	const struct attribute_group **attr_groups;
	struct perf_cpu_context *pmu_cpu_context;
	int task_ctx_nr;
	int capabilities;
	int type;
	const char *name;
	void (*pmu_enable)(struct pmu *pmu);
	void (*pmu_disable)(struct pmu *pmu);
	int (*event_init)(struct perf_event *event);
	int (*add)(struct perf_event *event, int flags);
	void (*del)(struct perf_event *event, int flags);
	void (*start)(struct perf_event *event, int flags);
	void (*stop)(struct perf_event *event, int flags);
	void (*read)(struct perf_event *event);
	void (*start_txn)(struct pmu *pmu, unsigned int flags);
	int (*commit_txn)(struct pmu *pmu);
	void (*cancel_txn)(struct pmu *pmu);
	void (*sched_task)(struct perf_event_context *ctx, bool sched_in);
	int (*event_idx)(struct perf_event *event);
	void (*event_mapped)(struct perf_event *event, struct mm_struct *mm);
	void (*event_unmapped)(struct perf_event *event, struct mm_struct *mm);
};

static inline bool is_sampling_event(const struct perf_event *event)
{
	return event->hw.sample_period;
}

static inline bool has_branch_stack(const struct perf_event *event)
{
	return event->attr.branch_sample_type;
}

#define for_each_sibling_event(sibling, leader) \
	for (sibling = (leader)->sibling; sibling; sibling = sibling->sibling)

static inline void perf_sample_data_init(struct perf_sample_data *data,
					 u64 addr, u64 period)
{
	(void)addr;
	data->period = period;
}

static inline void perf_event_update_userpage(struct perf_event *event)
{
	(void)event;
}

#define IS_ERR(p) ((uintptr_t)(p) >= (uintptr_t)-4095)
#define PTR_ERR(p) ((long)(p))

struct perf_event *perf_event_create_kernel_counter(struct perf_event_attr *attr,
						    int cpu, void *task,
						    void *overflow, void *context);
void perf_event_release_kernel(struct perf_event *event);
int perf_pmu_register(struct pmu *pmu, const char *name, int type);
void perf_pmu_unregister(struct pmu *pmu);

#endif /* SHIM_KERNEL_H */
