// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "driver.h"

#include <linux/math64.h>

static struct driver *now;

/* --- the kernel --- */

struct task_struct shim_task;
struct entry_stack shim_entry_stack;
struct cpuinfo_x86 boot_cpu_data = { 0x19, X86_VENDOR_AMD,
				     BIT(X86_FEATURE_APIC) };
struct tss_struct cpu_tss_rw;
u64 shim_cr3;
static nmi_handler_t handler;

static u32 lvtpc = APIC_LVT_MASKED;

static void apic_write(u32 reg, u32 value)
{
	assert_int_equal(reg, APIC_LVTPC);
	assert_int_equal(value & ~APIC_LVT_MASKED, APIC_DM_NMI);
	lvtpc = value;
}

static const struct apic local_apic = { apic_write };
const struct apic *apic = &local_apic;

bool shim_warn(bool condition)
{
	assert_false(condition);
	return condition;
}

bool in_nmi(void)
{
	return now->in_nmi;
}

bool in_hardirq(void)
{
	return false;
}

int register_nmi_handler(unsigned int type, nmi_handler_t fn, int flags,
			 const char *name)
{
	(void)type, (void)flags, (void)name;
	handler = fn;
	return 0;
}

void unregister_nmi_handler(unsigned int type, const char *name)
{
	(void)type, (void)name;
	handler = NULL;
}

/*
 * The interrupt that the host raised comes before the next instruction, unless
 * the entry is masked: then it is lost.  Intel's is masked by each delivery.
 */
static void deliver(u32 raised)
{
	struct pt_regs regs = { .cs = __USER_CS };

	if (now->in_nmi || now->fake.calls[FAKE_RAISE] == raised)
		return;
	if (lvtpc & APIC_LVT_MASKED)
		return;
	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
		lvtpc |= APIC_LVT_MASKED;
	now->in_nmi = true;
	handler(NMI_LOCAL, &regs);
	now->in_nmi = false;
}

void shim_moment(void)
{
	void (*moment)(struct driver * driver) = now->moment;

	now->moments++;
	if (!moment || now->in_nmi)
		return;
	now->moment = NULL;
	moment(now);
	now->moment = moment;
}

/* A guest whose memory is encrypted: free pages are private. */
unsigned long get_zeroed_page(u32 flags)
{
	(void)flags;
	now->pages++;
	now->page_made = aligned_alloc(PVPMU_AREA_SIZE, PVPMU_AREA_SIZE);
	return (unsigned long)now->page_made;
}

void free_page(unsigned long address)
{
	if (!address)
		return;
	now->pages--;
	assert_true(now->pages_shared <= now->pages);
	free((void *)address);
}

int set_memory_decrypted(unsigned long address, int pages)
{
	assert_int_equal(address % PVPMU_AREA_SIZE, 0);
	assert_int_equal(pages, 1);
	if (!now->page_answer)
		now->pages_shared++;
	return now->page_answer;
}

int set_memory_encrypted(unsigned long address, int pages)
{
	assert_int_equal(address % PVPMU_AREA_SIZE, 0);
	assert_int_equal(pages, 1);
	if (!now->page_answer)
		now->pages_shared--;
	return now->page_answer;
}

/* --- perf --- */

/* What the PMU in hardware gives, if there is one */
static struct perf_event hardware_event;

struct perf_event *
perf_event_create_kernel_counter(struct perf_event_attr *attr, int cpu,
				 void *task, void *overflow, void *context)
{
	(void)attr, (void)cpu, (void)task, (void)overflow, (void)context;
	if (now->hardware)
		return &hardware_event;
	return (struct perf_event *)(intptr_t)-ENOENT;
}

void perf_event_release_kernel(struct perf_event *event)
{
	assert_ptr_equal(event, &hardware_event);
}

/* perf's own of each CPU for our PMU; its timer is for events that take turns. */
static struct perf_cpu_context cpu_context;

void free_percpu(void *p)
{
	assert_ptr_equal(p, &cpu_context);
	assert_false(cpu_context.hrtimer.active);
}

void driver_write_mux_interval(void)
{
	cpu_context.hrtimer.active = true;
}

int perf_pmu_register(struct pmu *pmu, const char *name, int type)
{
	pmu->name = name;
	pmu->type = type < 0 ? DRIVER_TYPE : type;
	pmu->pmu_cpu_context = &cpu_context;
	return 0;
}

void perf_pmu_unregister(struct pmu *pmu)
{
	/* perf itself frees only contexts that tasks cannot have. */
	if (pmu->task_ctx_nr == perf_invalid_context)
		free_percpu(pmu->pmu_cpu_context);
	pmu->capabilities = 0;
}

/*
 * One eighth of the way to the period of which @count in @ns makes sample_freq
 * samples a second.  A period that is to run on for much longer is cut short.
 */
static void adjust_period(struct perf_event *event, u64 ns, u64 count)
{
	struct hw_perf_event *hwc = &event->hw;
	s64 period = (s64)mul_u64_u64_div_u64(count, NSEC_PER_SEC,
					      ns * event->attr.sample_freq);

	hwc->sample_period += (period - (s64)hwc->sample_period + 7) / 8;
	hwc->sample_period = max(hwc->sample_period, 1ull);
	if (local64_read(&hwc->period_left) > 8 * (s64)hwc->sample_period)
		local64_set(&hwc->period_left, 0);
}

static void adjust_at_sample(struct perf_event *event)
{
	struct hw_perf_event *hwc = &event->hw;
	u64 took = now->fake.now - hwc->freq_time_stamp;

	hwc->freq_time_stamp = now->fake.now;
	if (took && took < 2 * TICK_NSEC)
		adjust_period(event, took, hwc->last_period);
	/* A period that ends needs no stop and start in an NMI. */
	assert_int_equal(local64_read(&hwc->period_left), 0);
}

static int take_sample(struct perf_event *event, struct perf_sample_data *data,
		       struct pt_regs *regs)
{
	u32 n = (u32)(event - now->event);

	(void)regs;
	assert_true(now->in_nmi);
	assert_true(data->period > 0);
	now->samples[n]++;
	now->weight[n] += data->period;
	now->fake.now += now->sample_ns;
	if (event->attr.freq)
		adjust_at_sample(event);
	if (!now->stop_samples)
		return 0;
	now->stop_samples--;
	return 1;
}

static struct kretprobe *page_probe;

int register_kretprobe(struct kretprobe *probe)
{
	assert_string_equal(probe->kp.symbol_name, "arch_perf_update_userpage");
	assert_null(page_probe);
	page_probe = probe;
	return 0;
}

void unregister_kretprobe(struct kretprobe *probe)
{
	assert_ptr_equal(page_probe, probe);
	page_probe = NULL;
}

/* The kernel knows of no PMU but ours. */
static void arch_perf_update_userpage(struct perf_event *event,
				      struct perf_event_mmap_page *page)
{
	struct pt_regs regs = { .di = (unsigned long)event,
				.si = (unsigned long)page };
	struct kretprobe_instance instance;
	bool probed =
		page_probe && !page_probe->entry_handler(&instance, &regs);

	page->cap_user_rdpmc = event->hw.flags & PERF_EVENT_FLAG_USER_READ_CNT;
	page->pmc_width = 0;
	memset(&regs, 0, sizeof(regs));
	if (probed)
		page_probe->handler(&instance, &regs);
}

void perf_event_update_userpage(struct perf_event *event)
{
	struct perf_event_mmap_page *page = event->rb;

	if (!page)
		return;
	page->lock++;
	page->index = (u32)pvg_pmu.event_idx(event);
	page->offset = local64_read(&event->count);
	if (page->index)
		page->offset -= local64_read(&event->hw.prev_count);
	arch_perf_update_userpage(event, page);
	page->lock++;
}

/* The CPU has CR4.PCE set or not, as the process that runs wants it. */
static void update_pce(void *unused)
{
	(void)unused;
	now->pce_updates++;
}

static void sample_event_took(u64 ns)
{
	assert_true(now->in_nmi);
	now->took += ns;
}

/* --- files of the driver that are not here --- */

struct pvg_cpu pvg_cpus;
static struct pvg_slot slots[PVPMU_MAX_SLOTS];

static void no_cpuid(u32 leaf, u32 regs[4])
{
	(void)leaf, (void)regs;
	fail();
}

static bool yes(void)
{
	return true;
}

static u64 frame(void *page)
{
	assert_ptr_equal(page, &now->fake.area);
	return FAKE_FRAME;
}

static s64 call(u32 number, u32 op, u32 a, u32 b, u32 c)
{
	u32 raised = now->fake.calls[FAKE_RAISE];
	s32 result;

	assert_int_equal(number, 77);
	now->calls++;
	shim_moment();
	if (now->absent)
		return -1000; /* what KVM says to a number that it does not know */
	result = guest_call(&now->fake, op - FAKE_OP_BASE, a, b, c);
	if (op == FAKE_OP_BASE + PVPMU_OP_SETUP && now->scribble)
		now->scribble(&now->fake.area);
	deliver(raised);
	shim_moment();
	return result;
}

static const struct pvg_transport transport = {
	.name = "fake",
	.probe = yes,
	.cpuid = no_cpuid,
	.call = call,
	.frame = frame,
};

const struct pvg_transport *pvg_transport = &transport;

int pvg_discover(struct pvg_host *host, u32 hint, bool all)
{
	(void)hint, (void)all;
	if (now->absent)
		return -ENODEV;
	*host = (struct pvg_host){
		.version = PVPMU_ABI_VERSION,
		.features = now->fake.ops.features,
		.number = 77,
		.op_base = FAKE_OP_BASE,
		.slots = PVPMU_MAX_SLOTS,
		.stride = PVPMU_SLOT_SIZE,
		.header = PVPMU_HEADER_SIZE,
		.period_min = 1000,
		.clock_period_min = 100000,
	};
	return 0;
}

void *pvg_resolve(const char *name)
{
	if (!strcmp(name, "perf_event_overflow"))
		return (void *)take_sample;
	if (!strcmp(name, "perf_sample_event_took"))
		return (void *)sample_event_took;
	if (!strcmp(name, "cr4_update_pce"))
		return now->no_pce ? NULL : (void *)update_pce;
	fail();
	return NULL;
}

u64 pvg_clock(void)
{
	shim_moment();
	return now->fake.now;
}

void pvg_notice(struct pvg_cpu *cpu, enum pvg_notice notice)
{
	cpu->notices |= BIT(notice);
}

void pvg_timer_start(struct pvg_cpu *cpu)
{
	cpu->ticking = true;
}

bool pvg_active(void)
{
	return !now->off;
}

void pvg_hold(void)
{
}

void pvg_sched_task(PVG_SCHED_TASK_ARGS)
{
	(void)ctx, (void)sched_in;
}

bool pvg_switch_defers(struct pvg_cpu *cpu)
{
	(void)cpu;
	return false;
}

void pvg_pinned_check(struct pvg_cpu *cpu, struct pvg_slot *slot,
		      const struct pvg_line *line)
{
	(void)cpu, (void)slot, (void)line;
}

void pvg_pinned_look(struct pvg_cpu *cpu, u32 id)
{
	(void)cpu, (void)id;
}

bool pvg_pinned_refused(struct perf_event *event)
{
	(void)event;
	return false;
}

/* --- the test's side --- */

void driver_init(struct driver *driver)
{
	struct pvg_cpu *cpu = &pvg_cpus;

	memset(driver, 0, sizeof(*driver));
	fake_init(&driver->fake, NULL);
	now = driver;
	memset(cpu, 0, sizeof(*cpu));
	memset(slots, 0, sizeof(slots));
	cpu->slot = slots;
	cpu->area = &driver->fake.area;
	cpu->allowed = true;
	pvg_overflow_init();
	pvg_rdpmc_init();
	assert_true(pvg_can_sample());
	assert_int_equal(pvg_overflow_on(), 0);
	assert_int_equal(pvg_pmu_register(), 0);
	assert_int_equal(pvg_setup(cpu), PVPMU_OK);
}

void driver_fini(struct driver *driver)
{
	driver->moment = NULL;
	pvg_suspend(&pvg_cpus);
	pvg_pmu_unregister();
	pvg_rdpmc_exit();
	pvg_overflow_off();
	fake_end(&driver->fake);
}

int driver_begin(void **state)
{
	*state = malloc(sizeof(struct driver));
	assert_non_null(*state);
	driver_init(*state);
	return 0;
}

int driver_begin_beside(void **state)
{
	struct driver *driver;

	driver_begin(state);
	driver = *state;
	pvg_pmu_unregister();
	driver->hardware = true;
	return pvg_pmu_register();
}

int driver_begin_intel(void **state)
{
	boot_cpu_data.x86_vendor = X86_VENDOR_INTEL;
	return driver_begin(state);
}

int driver_end_intel(void **state)
{
	driver_end(state);
	boot_cpu_data.x86_vendor = X86_VENDOR_AMD;
	return 0;
}

int driver_end(void **state)
{
	driver_fini(*state);
	free(*state);
	return 0;
}

void driver_attr(struct driver *driver, u32 n, u32 type, u64 config, u64 period)
{
	struct perf_event *event = &driver->event[n];

	*event = (struct perf_event){
		.group_leader = event,
		.pmu = &pvg_pmu,
		.ctx = &driver->ctx,
		.cpu = 0,
		.oncpu = -1,
		.attr = {
			.type = type,
			.config = config,
		},
		.hw.sample_period = period,
	};
}

void driver_event(struct driver *driver, u32 n, u64 config, u64 period)
{
	driver_attr(driver, n, PERF_TYPE_HARDWARE, config, period);
	assert_int_equal(pvg_event_init(&driver->event[n]), 0);
}

static void time_passes(struct driver *driver)
{
	driver->ctx.time = driver->fake.now;
}

/* As perf accounts for an event that it takes away. */
static void event_ends(struct driver *driver, struct perf_event *event)
{
	event->total_time_enabled += driver->ctx.time - event->tstamp;
	event->total_time_running += driver->ctx.time - event->tstamp;
	event->tstamp = driver->ctx.time;
}

void driver_sched(struct driver *driver, u32 del, u32 add)
{
	struct pmu *pmu = &pvg_pmu;

	time_passes(driver);
	pmu->pmu_disable(pmu);
	for_each_id(n, del) {
		pmu->del(&driver->event[n], 0);
		driver->event[n].oncpu = -1;
		event_ends(driver, &driver->event[n]);
	}
	for_each_id(n, add) {
		driver->event[n].tstamp = driver->ctx.time;
		driver->event[n].oncpu = 0;
		assert_int_equal(pmu->add(&driver->event[n], PERF_EF_START), 0);
	}
	pmu->pmu_enable(pmu);
}

void driver_unthrottle(struct driver *driver, u32 n)
{
	struct pmu *pmu = &pvg_pmu;

	pmu->pmu_disable(pmu);
	pmu->start(&driver->event[n], 0);
	pmu->pmu_enable(pmu);
}

void driver_reload(struct driver *driver, u32 n, u64 left)
{
	struct perf_event *event = &driver->event[n];

	pvg_pmu.stop(event, PERF_EF_UPDATE);
	local64_set(&event->hw.period_left, left);
	pvg_pmu.start(event, PERF_EF_RELOAD);
}

void driver_freq_tick(struct driver *driver, u32 n)
{
	struct perf_event *event = &driver->event[n];
	struct hw_perf_event *hwc = &event->hw;
	struct pmu *pmu = &pvg_pmu;
	s64 came;

	time_passes(driver);
	pmu->pmu_disable(pmu);
	pmu->stop(event, PERF_EF_UPDATE);
	came = local64_read(&event->count) - (s64)hwc->freq_count_stamp;
	hwc->freq_count_stamp = (u64)local64_read(&event->count);
	if (came > 0)
		adjust_period(event, TICK_NSEC, (u64)came);
	pmu->start(event, came > 0 ? PERF_EF_RELOAD : 0);
	pmu->pmu_enable(pmu);
}

u64 driver_read(struct driver *driver, u32 n)
{
	struct perf_event *event = &driver->event[n];

	time_passes(driver);
	pvg_pmu.read(event);
	return (u64)local64_read(&event->count);
}

void driver_tick(struct driver *driver)
{
	struct pvg_cpu *cpu = &pvg_cpus;

	time_passes(driver);
	for_each_id(id, cpu->used & ~cpu->closing)
		if (cpu->slot[id].want &&
		    (!cpu->slot[id].on || cpu->slot[id].rearm))
			cpu->dirty |= BIT(id);
	pvg_flush(cpu, cpu->used);
}

void driver_run(struct driver *driver, u64 ns, u64 events)
{
	u32 raised = driver->fake.calls[FAKE_RAISE];

	fake_run(&driver->fake, ns, events);
	deliver(raised);
}

void driver_lose_host(struct driver *driver)
{
	struct fake *fake = &driver->fake;

	pvpmu_vcpu_detach(&fake->vcpu);
	pvpmu_vcpu_init(&fake->vcpu, fake->vcpu.vm, &fake->ops);
}
