// SPDX-License-Identifier: MIT OR GPL-2.0
/* A hypervisor made of plain memory, see fake.h */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

_Noreturn void fake_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

static struct fake *fake_of(struct pvpmu_vcpu *vcpu)
{
	return (struct fake *)((char *)vcpu - offsetof(struct fake, vcpu));
}

static void hook(struct fake *fake, enum fake_op op, bool after)
{
	if (!fake->hook || fake->hooked)
		return;
	fake->hooked = true;
	fake->hook(fake, op, after);
	fake->hooked = false;
}

static struct fake *begin(struct pvpmu_vcpu *vcpu, enum fake_op op)
{
	struct fake *fake = fake_of(vcpu);

	fake->calls[op]++;
	hook(fake, op, false);
	return fake;
}

static void end(struct fake *fake, enum fake_op op)
{
	hook(fake, op, true);
}

/* A counter that must exist at this moment. */
static struct fake_counter *existing(struct fake *fake, u32 counter)
{
	FAKE_CHECK(counter < PVPMU_MAX_COUNTERS);
	FAKE_CHECK(fake->counter[counter].exists);
	return &fake->counter[counter];
}

static u32 op_query(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc)
{
	struct fake *fake = begin(vcpu, FAKE_QUERY);

	FAKE_CHECK(desc->flags == 0 && !desc->sampling);
	end(fake, FAKE_QUERY);
	return fake->caps;
}

static enum pvpmu_answer op_area_attach(struct pvpmu_vcpu *vcpu, u64 frame)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_ATTACH);
	enum pvpmu_answer ret = fake->attach_answer;

	if (ret == PVPMU_DONE && frame != FAKE_FRAME)
		ret = PVPMU_NEVER;
	if (ret == PVPMU_DONE)
		fake->attached = true;
	end(fake, FAKE_AREA_ATTACH);
	return ret;
}

static void op_area_detach(struct pvpmu_vcpu *vcpu)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_DETACH);

	FAKE_CHECK(fake->attached);
	fake->attached = false;
	end(fake, FAKE_AREA_DETACH);
}

/* Where an access to the area begins; a null pointer if it is gone. */
static u32 *area_access(struct fake *fake, u32 offset, u32 len)
{
	FAKE_CHECK(fake->attached);
	FAKE_CHECK(offset % 4 == 0 && len % 4 == 0);
	FAKE_CHECK(len > 0 && offset < PVPMU_AREA_SIZE);
	FAKE_CHECK(len <= PVPMU_AREA_SIZE - offset);
	fake->accesses++;
	if (!fake->accesses_left)
		return NULL;
	fake->accesses_left--;
	return (u32 *)((char *)&fake->area + offset);
}

static bool op_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to, u32 len)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_READ);
	u32 *area = area_access(fake, offset, len);
	u32 word;
	u32 i;

	for (i = 0; area && i < len / 4; i++) {
		word = READ_ONCE(area[i]);
		memcpy((char *)to + i * 4, &word, 4);
		fake->reads[offset / 4 + i]++;
	}
	end(fake, FAKE_AREA_READ);
	return area != NULL;
}

static bool op_area_write(struct pvpmu_vcpu *vcpu, u32 offset, const void *from,
			  u32 len)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_WRITE);
	u32 *area = area_access(fake, offset, len);
	u32 word;
	u32 i;

	/* The line of the pending word, which SETUP clears. */
	FAKE_CHECK(offset == offsetof(struct pvpmu_area, overflow));
	FAKE_CHECK(len == PVPMU_LINE_SIZE);
	for (i = 0; area && i < len / 4; i++) {
		memcpy(&word, (const char *)from + i * 4, 4);
		WRITE_ONCE(area[i], word);
		memcpy((char *)&fake->shown + offset + i * 4, &word, 4);
	}
	end(fake, FAKE_AREA_WRITE);
	return area != NULL;
}

/* The host's lines with a sequence: its header line, its slot lines. */
static bool is_hosts_line(u32 offset)
{
	u32 line = offset / PVPMU_LINE_SIZE;

	if (offset % PVPMU_LINE_SIZE)
		return false;
	return line == 1 || (line >= 4 && line % 2 == 1);
}

static bool op_area_line(struct pvpmu_vcpu *vcpu, u32 offset, const void *line)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_LINE);
	u32 *area = area_access(fake, offset, PVPMU_LINE_SIZE);

	FAKE_CHECK(is_hosts_line(offset));
	FAKE_CHECK(*(const u32 *)line % 2 == 0);
	if (area) {
		pvpmu_line_store(area, line);
		memcpy((char *)&fake->shown + offset, line, PVPMU_LINE_SIZE);
	}
	end(fake, FAKE_AREA_LINE);
	return area != NULL;
}

static bool op_area_or32(struct pvpmu_vcpu *vcpu, u32 offset, u32 bits,
			 u32 *old)
{
	struct fake *fake = begin(vcpu, FAKE_AREA_OR32);
	u32 *area = area_access(fake, offset, 4);

	FAKE_CHECK(offset == offsetof(struct pvpmu_area, overflow));
	if (area)
		*old = env_or32(area, bits);
	end(fake, FAKE_AREA_OR32);
	return area != NULL;
}

static bool op_deliver(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	struct fake *fake = begin(vcpu, FAKE_DELIVER);

	(void)delivery;
	(void)port;
	end(fake, FAKE_DELIVER);
	return fake->deliver_answer;
}

static enum pvpmu_answer op_create(struct pvpmu_vcpu *vcpu, u32 counter,
				   const struct pvpmu_desc *desc)
{
	struct fake *fake = begin(vcpu, FAKE_CREATE);
	enum pvpmu_answer answer = fake->create_answer;
	struct fake_counter *c;

	FAKE_CHECK(counter < PVPMU_MAX_COUNTERS);
	c = &fake->counter[counter];
	FAKE_CHECK(!c->exists);
	if (answer == PVPMU_DONE) {
		memset(c, 0, sizeof(*c));
		c->exists = true;
		c->desc = *desc;
		c->reading.active = true;
	}
	end(fake, FAKE_CREATE);
	return answer;
}

static void op_destroy(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct fake *fake = begin(vcpu, FAKE_DESTROY);
	struct fake_counter *c = existing(fake, counter);

	FAKE_CHECK(!c->started);
	c->exists = false;
	end(fake, FAKE_DESTROY);
}

static bool op_fit(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		   u64 counters)
{
	struct fake *fake = begin(vcpu, FAKE_FIT);
	u32 n = 1;

	FAKE_CHECK(fake->ops.features & PVPMU_FEAT_GROUPS && !desc->group);
	for (; counters; counters &= counters - 1) {
		existing(fake, (u32)__builtin_ctzll(counters));
		n++;
	}
	end(fake, FAKE_FIT);
	return n <= fake->most;
}

static bool op_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	struct fake *fake = begin(vcpu, FAKE_START);
	struct fake_counter *c = existing(fake, counter);

	FAKE_CHECK(!c->started);
	FAKE_CHECK(c->desc.sampling || !left);
	if (fake->start_answer) {
		c->started = true;
		c->left = left;
	}
	end(fake, FAKE_START);
	return fake->start_answer;
}

static void op_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct fake *fake = begin(vcpu, FAKE_STOP);
	struct fake_counter *c = existing(fake, counter);

	FAKE_CHECK(c->started);
	c->started = false;
	c->left = 0;
	end(fake, FAKE_STOP);
}

static void op_read(struct pvpmu_vcpu *vcpu, u32 counter,
		    struct pvpmu_reading *reading)
{
	struct fake *fake = begin(vcpu, FAKE_READ);

	*reading = existing(fake, counter)->reading;
	end(fake, FAKE_READ);
}

static void op_kick(struct pvpmu_vcpu *vcpu)
{
	struct fake *fake = begin(vcpu, FAKE_KICK);

	fake->kicked = true;
	end(fake, FAKE_KICK);
}

static void op_raise(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	struct fake *fake = begin(vcpu, FAKE_RAISE);

	FAKE_CHECK(delivery != PVPMU_DELIVER_NONE);
	fake->delivery = delivery;
	fake->port = port;
	end(fake, FAKE_RAISE);
}

/* The clock op is not told whose clock it is: all fakes of a thread have one. */
static _Thread_local struct fake *fake_clock;

static u64 op_clock(void)
{
	begin(&fake_clock->vcpu, FAKE_CLOCK);
	end(fake_clock, FAKE_CLOCK);
	return fake_clock->now;
}

static void op_idle(struct pvpmu_vcpu *vcpu)
{
	end(begin(vcpu, FAKE_IDLE), FAKE_IDLE);
}

static const struct pvpmu_host_ops fake_ops = {
	.features = PVPMU_FEAT_LVTPC | PVPMU_FEAT_EVTCHN,
	.hypercall = FAKE_HYPERCALL,
	.op_base = FAKE_OP_BASE,
	.raw = PVPMU_RAW_X86,
	.query = op_query,
	.area_attach = op_area_attach,
	.area_detach = op_area_detach,
	.area_read = op_area_read,
	.area_write = op_area_write,
	.area_line = op_area_line,
	.area_or32 = op_area_or32,
	.deliver = op_deliver,
	.create = op_create,
	.destroy = op_destroy,
	.fit = op_fit,
	.start = op_start,
	.stop = op_stop,
	.read = op_read,
	.kick = op_kick,
	.raise = op_raise,
	.clock = op_clock,
	.idle = op_idle,
};

void fake_init(struct fake *fake, struct pvpmu_vm *vm)
{
	const struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;

	memset(fake, 0, sizeof(*fake));
	fake->deliver_answer = true;
	fake->start_answer = true;
	fake->most = PVPMU_MAX_COUNTERS;
	fake->ops = fake_ops;
	fake->accesses_left = ~0ull;
	fake->now = 1000000000;
	fake->caps = PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE |
		     PVPMU_CAP_EXCLUDE_USER | PVPMU_CAP_EXCLUDE_KERNEL |
		     PVPMU_CAP_EXCLUDE_GUEST | PVPMU_CAP_EXCLUDE_HOST;
	fake_clock = fake;
	if (!vm) {
		vm = &fake->own_vm;
		pvpmu_vm_init(vm, &limits);
	}
	pvpmu_vcpu_init(&fake->vcpu, vm, &fake->ops);
}

void fake_end(struct fake *fake)
{
	fake->hook = NULL;
	pvpmu_vcpu_detach(&fake->vcpu);
	FAKE_CHECK(!fake->attached);
	FAKE_CHECK(fake_counters(fake) == 0);
	FAKE_CHECK(fake->vcpu.stats.created == fake->vcpu.stats.destroyed);
	if (fake->vcpu.vm == &fake->own_vm)
		FAKE_CHECK(fake->own_vm.slots_open == 0);
}

u32 fake_counters(const struct fake *fake)
{
	u32 n = 0;
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		n += fake->counter[i].exists;
	return n;
}

u32 fake_started(const struct fake *fake)
{
	u32 n = 0;
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		n += fake->counter[i].exists && fake->counter[i].started;
	return n;
}

/* The interrupt of a counter; nothing interrupts it in turn. */
static void overflow(struct fake *fake, u32 counter)
{
	bool hooked = fake->hooked;

	fake->hooked = true;
	fake->counter[counter].left = pvpmu_overflow(&fake->vcpu, counter);
	fake->hooked = hooked;
}

u32 fake_find(const struct fake *fake, u32 type, u64 config)
{
	u32 found = PVPMU_MAX_COUNTERS;
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		if (!fake->counter[i].exists ||
		    fake->counter[i].desc.type != type ||
		    fake->counter[i].desc.config != config)
			continue;
		FAKE_CHECK(found == PVPMU_MAX_COUNTERS);
		found = i;
	}
	FAKE_CHECK(found < PVPMU_MAX_COUNTERS);
	return found;
}

void fake_count(struct fake *fake, u32 counter, u64 ns, u64 events)
{
	struct fake_counter *c = existing(fake, counter);
	u64 step;

	fake_clock = fake;
	if (!c->started)
		return;
	if (c->reading.failed)
		return;
	c->reading.enabled += ns;
	if (!c->reading.active)
		return;
	c->reading.running += ns;
	while (c->left && c->left <= events) {
		step = c->left;
		c->reading.count += step;
		events -= step;
		overflow(fake, counter);
	}
	c->reading.count += events;
	if (c->left)
		c->left -= events;
}

void fake_run(struct fake *fake, u64 ns, u64 events)
{
	u32 i;

	fake->now += ns;
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (fake->counter[i].exists)
			fake_count(fake, i, ns, events);
	fake_enter(fake);
}

void fake_enter(struct fake *fake)
{
	if (!fake->kicked)
		return;
	fake->kicked = false;
	fake_clock = fake;
	pvpmu_publish(&fake->vcpu);
}

s32 guest_call(struct fake *fake, u32 op, u32 a, u32 b, u32 c)
{
	const struct pvpmu_call call = {
		.op = FAKE_OP_BASE + op,
		.arg = { a, b, c },
		.kernel = true,
	};
	s32 ret;

	fake_clock = fake;
	ret = pvpmu_call(&fake->vcpu, &call);
	fake_enter(fake);
	return ret;
}

/* What a guest of this version knows */
#define FEATURES                                                    \
	(PVPMU_FEAT_LVTPC | PVPMU_FEAT_PV_NMI | PVPMU_FEAT_EVTCHN | \
	 PVPMU_FEAT_GROUPS | PVPMU_FEAT_RDPMC)

void guest_accept(struct fake *fake, u32 features)
{
	fake->area.guest.version = PVPMU_ABI_VERSION;
	fake->area.guest.features = features;
}

void fake_serve(struct fake *fake, u32 features)
{
	fake->ops.features |= features;
	fake->vcpu.features |= features;
	fake->vcpu.header.features |= features;
}

s32 guest_setup(struct fake *fake)
{
	guest_accept(fake, fake->ops.features & FEATURES);
	return guest_call(fake, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
			  (u32)(FAKE_FRAME >> 32), PVPMU_DELIVER_LVTPC);
}

void guest_describe(struct fake *fake, u32 id, u32 type, u64 config, u64 period)
{
	struct pvpmu_slot_guest *line = &fake->area.slot[id].guest;

	memset(line, 0, sizeof(*line));
	line->type = type;
	line->config = config;
	line->period = period;
	line->leader = id;
}

s32 guest_open(struct fake *fake, u32 id, u32 type, u64 config, u64 period)
{
	guest_describe(fake, id, type, config, period);
	return guest_call(fake, PVPMU_OP_OPEN, id, 0, 0);
}

s32 guest_update(struct fake *fake, u32 close, u32 disable, u32 open,
		 u32 enable, u32 read)
{
	fake->area.guest = (struct pvpmu_header_guest){
		.close = close,
		.disable = disable,
		.open = open,
		.enable = enable,
		.read = read,
		.version = fake->area.guest.version,
		.features = fake->area.guest.features,
	};
	return guest_call(fake, PVPMU_OP_UPDATE, 0, 0, 0);
}

u32 guest_take_pending(struct fake *fake)
{
	return env_xchg32(&fake->area.overflow.pending, 0);
}

const struct pvpmu_slot_host *guest_line(const struct fake *fake, u32 id)
{
	return &fake->area.slot[id].host;
}
