// SPDX-License-Identifier: MIT OR GPL-2.0
/* pvpmu core: the entry points, and the life of a vCPU */
#include "internal.h"

void pvpmu_vm_init(struct pvpmu_vm *vm, const struct pvpmu_limits *limits)
{
	vm->limits = *limits;
	vm->slots_open = 0;
}

bool pvpmu_limits_make_sense(const struct pvpmu_limits *limits)
{
	return limits->slots_vcpu <= PVPMU_MAX_SLOTS &&
	       !(limits->classes & ~PVPMU_CLASSES_ALL) && limits->period_min &&
	       limits->clock_period_min >= PVPMU_CLOCK_PERIOD_LEAST &&
	       limits->overflow_rate;
}

void pvpmu_vm_limit(struct pvpmu_vm *vm, const struct pvpmu_limits *limits)
{
	struct pvpmu_limits *to = &vm->limits;

	WRITE_ONCE(to->slots_vcpu, limits->slots_vcpu);
	WRITE_ONCE(to->slots_vm, limits->slots_vm);
	WRITE_ONCE(to->classes, limits->classes);
	WRITE_ONCE(to->period_min, limits->period_min);
	WRITE_ONCE(to->clock_period_min, limits->clock_period_min);
	WRITE_ONCE(to->overflow_rate, limits->overflow_rate);
}

u64 pvpmu_stats_calls(const struct pvpmu_stats *stats)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < sizeof(stats->calls) / sizeof(stats->calls[0]); i++)
		sum += READ_ONCE(stats->calls[i]);
	return sum;
}

bool pvpmu_next_event(const struct pvpmu_vcpu *vcpu, u32 id,
		      struct pvpmu_open_event *event)
{
	u32 open = READ_ONCE(vcpu->open);
	const struct pvpmu_slot_state *slot;
	u32 counter;

	while (id < PVPMU_MAX_SLOTS && !(open & id_bit(id)))
		id++;
	if (id >= PVPMU_MAX_SLOTS)
		return false;
	slot = &vcpu->slot[id];
	counter = READ_ONCE(slot->counter);
	event->id = id;
	event->desc = vcpu->counter[counter % PVPMU_MAX_COUNTERS].desc;
	event->period = READ_ONCE(slot->sampling) ? READ_ONCE(slot->period) : 0;
	event->line = slot->host;
	return true;
}

void pvpmu_vcpu_init(struct pvpmu_vcpu *vcpu, struct pvpmu_vm *vm,
		     const struct pvpmu_host_ops *ops)
{
	memset(vcpu, 0, sizeof(*vcpu));
	memset(vcpu->bucket, 0xff, sizeof(vcpu->bucket));
	vcpu->vm = vm;
	vcpu->ops = ops;
	/* A host that was loaded again does not begin where it began before. */
	vcpu->window = ops->clock();
	vcpu->budget = READ_ONCE(vm->limits.overflow_rate);
	vcpu->header.generation = (u32)vcpu->window;
}

bool pvpmu_cpuid(const struct pvpmu_vm *vm, const struct pvpmu_host_ops *ops,
		 u32 base, u32 hypercall, u32 leaf, u32 regs[4])
{
	if (!pvpmu_slots_usable(vm))
		return false;
	switch (leaf - base) {
	case 0:
		regs[0] = base + PVPMU_CPUID_LEAVES;
		regs[1] = PVPMU_SIGNATURE_EBX;
		regs[2] = PVPMU_SIGNATURE_ECX;
		regs[3] = PVPMU_SIGNATURE_EDX;
		return true;
	case 1:
		regs[0] = PVPMU_ABI_VERSION;
		regs[1] = PVPMU_SLOT_SIZE << 16 | PVPMU_MAX_SLOTS;
		regs[2] = ops->features & PVPMU_FEATURES;
		regs[3] = hypercall;
		return true;
	case 2:
		regs[0] = PVPMU_OP_BASE;
		regs[1] = PVPMU_AREA_PAGES << 16 | PVPMU_HEADER_SIZE;
		regs[2] =
			(u32)pvpmu_period_clamp(vm, PVPMU_TYPE_HARDWARE, 0, 0);
		regs[3] = (u32)pvpmu_period_clamp(vm, PVPMU_TYPE_CLOCK, 0, 0);
		return true;
	default:
		return false;
	}
}

static s32 op_query(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	return pvpmu_event_caps(vcpu, arg[0], (u64)arg[2] << 32 | arg[1]);
}

static s32 check_delivery(const struct pvpmu_vcpu *vcpu, u32 delivery)
{
	static const u32 needs[] = {
		[PVPMU_DELIVER_NONE] = 0,
		[PVPMU_DELIVER_LVTPC] = PVPMU_FEAT_LVTPC,
		[PVPMU_DELIVER_PV_NMI] = PVPMU_FEAT_PV_NMI,
		[PVPMU_DELIVER_EVTCHN] = PVPMU_FEAT_EVTCHN,
	};
	const u32 kinds = sizeof(needs) / sizeof(needs[0]);
	u32 kind = delivery & PVPMU_DELIVER_MASK;

	if (kind >= kinds)
		return PVPMU_ERR_DELIVERY;
	if (needs[env_nospec(kind, kinds)] &
	    ~(vcpu->ops->features & PVPMU_FEATURES))
		return PVPMU_ERR_DELIVERY;
	if (kind != PVPMU_DELIVER_EVTCHN && delivery != kind)
		return PVPMU_ERR_RESERVED;
	return PVPMU_OK;
}

static bool deliver(struct pvpmu_vcpu *vcpu, u32 delivery)
{
	return vcpu->ops->deliver(vcpu, delivery & PVPMU_DELIVER_MASK,
				  delivery >> PVPMU_DELIVER_PORT_SHIFT);
}

static s32 attach(struct pvpmu_vcpu *vcpu, u64 frame)
{
	if (frame >> PVPMU_FRAME_BITS)
		return PVPMU_ERR_FRAME;
	switch (vcpu->ops->area_attach(vcpu, frame)) {
	case PVPMU_DONE:
		return PVPMU_OK;
	case PVPMU_LATER:
		return PVPMU_ERR_RETRY;
	default:
		return PVPMU_ERR_FRAME;
	}
}

/*
 * Attaches the new area first: if that fails, the old one goes on as it was.
 * Nothing is written into the old one any more; events end without a word.
 */
s32 pvpmu_attach(struct pvpmu_vcpu *vcpu, u64 frame, u32 delivery)
{
	s32 error;

	if (!pvpmu_slots_usable(vcpu->vm))
		return PVPMU_ERR_DENIED;
	error = check_delivery(vcpu, delivery);
	if (error)
		return error;
	if (!deliver(vcpu, delivery))
		return PVPMU_ERR_DELIVERY;
	error = attach(vcpu, frame);
	if (error) {
		/* It took the old one once, so it takes it again. */
		deliver(vcpu, vcpu->delivery);
		return error;
	}

	pvpmu_slot_close_all(vcpu);
	vcpu->attached = true;
	vcpu->restored = false;
	vcpu->frame = frame;
	vcpu->delivery = delivery;
	return PVPMU_OK;
}

static s32 op_setup(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	s32 error = pvpmu_attach(vcpu, (u64)arg[1] << 32 | arg[0], arg[2]);

	if (error)
		return error;
	pvpmu_area_reset(vcpu);
	return vcpu->lost ? PVPMU_ERR_FRAME : PVPMU_OK;
}

static s32 op_detach(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	(void)arg;
	pvpmu_vcpu_detach(vcpu);
	return PVPMU_OK;
}

/* Where not all can count, others do now; @ids are to show who. */
static void arrange(struct pvpmu_vcpu *vcpu, u32 ids)
{
	u32 id, rest;

	if (!pvpmu_counter_arrange(vcpu))
		return;
	for_each_id(id, rest, ids)
		pvpmu_slot_read(vcpu, id);
}

typedef s32 (*slot_fn)(struct pvpmu_vcpu *vcpu, u32 id);

/* An operation on one id; a slot that it changed is shown at once. */
static s32 on_slot(struct pvpmu_vcpu *vcpu, u32 id, slot_fn fn)
{
	s32 error;

	if (id >= PVPMU_MAX_SLOTS)
		return PVPMU_ERR_ID;
	id = (u32)env_nospec(id, PVPMU_MAX_SLOTS);
	error = fn(vcpu, id);
	arrange(vcpu, id_bit(id));
	if (!error)
		pvpmu_area_show(vcpu, id);
	return error;
}

static s32 op_open(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	return on_slot(vcpu, arg[0], pvpmu_slot_open);
}

static s32 op_close(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	return on_slot(vcpu, arg[0], pvpmu_slot_close);
}

static s32 op_enable(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	u32 id = (u32)env_nospec(arg[0], PVPMU_MAX_SLOTS);
	bool enabled = vcpu->slot[id].enabled;
	s32 error = on_slot(vcpu, arg[0], pvpmu_slot_enable);

	if (!error)
		pvpmu_overflow_remind(vcpu);
	/* It was stopped to be armed again, and stopped it is now. */
	if (error == PVPMU_ERR_HOST && enabled)
		pvpmu_area_show(vcpu, id);
	return error;
}

static s32 op_disable(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	return on_slot(vcpu, arg[0], pvpmu_slot_disable);
}

static s32 op_read(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	return on_slot(vcpu, arg[0], pvpmu_slot_read);
}

static s32 check_update(const struct pvpmu_header_guest *line, u32 named)
{
	u32 i, any = line->flags;

	for (i = 0; i < sizeof(line->reserved) / sizeof(line->reserved[0]); i++)
		any |= line->reserved[i];
	if (any)
		return PVPMU_ERR_RESERVED;
	return named & ~PVPMU_IDS ? PVPMU_ERR_ID : PVPMU_OK;
}

/* One mask of UPDATE; an id keeps the first error it meets. */
static void on_slots(struct pvpmu_vcpu *vcpu, u32 ids, slot_fn fn)
{
	u32 id, rest;

	for_each_id(id, rest, ids & PVPMU_IDS) {
		s32 error = fn(vcpu, id);

		if (!vcpu->slot[id].host.error)
			vcpu->slot[id].host.error = error;
	}
}

static s32 op_update(struct pvpmu_vcpu *vcpu, const u32 *arg)
{
	struct pvpmu_header_guest line;
	s32 error, result = PVPMU_OK;
	u32 named, id, rest;

	(void)arg;
	if (!pvpmu_area_read(vcpu, PVPMU_OFFSET(pvpmu_area, guest), &line,
			     sizeof(line)))
		return PVPMU_ERR_NO_AREA;
	named = line.close | line.disable | line.open | line.enable | line.read;
	error = check_update(&line, named);
	if (error)
		return error;

	named &= PVPMU_IDS;
	for_each_id(id, rest, named)
		vcpu->slot[id].host.error = PVPMU_OK;
	pvpmu_counter_batch_begin(vcpu);
	on_slots(vcpu, line.close, pvpmu_slot_close);
	on_slots(vcpu, line.disable, pvpmu_slot_disable);
	on_slots(vcpu, line.open, pvpmu_slot_open);
	on_slots(vcpu, line.enable, pvpmu_slot_enable);
	on_slots(vcpu, line.read, pvpmu_slot_read);
	pvpmu_counter_batch_end(vcpu);
	arrange(vcpu, named);
	for_each_id(id, rest, named) {
		if (vcpu->slot[id].host.error)
			result = PVPMU_ERR_PARTIAL;
		pvpmu_area_show(vcpu, id);
	}
	pvpmu_overflow_remind(vcpu);
	return result;
}

/**
 * struct operation - how a call is served
 * @fn: serves it, its arguments not checked yet
 * @args: how many it has; those after them are zero
 * @area: it needs one
 */
struct operation {
	s32 (*fn)(struct pvpmu_vcpu *vcpu, const u32 *arg);
	u8 args;
	bool area;
};

static const struct operation operations[] = {
	[PVPMU_OP_QUERY] = { op_query, 3, false },
	[PVPMU_OP_SETUP] = { op_setup, 3, false },
	[PVPMU_OP_DETACH] = { op_detach, 0, true },
	[PVPMU_OP_OPEN] = { op_open, 1, true },
	[PVPMU_OP_CLOSE] = { op_close, 1, true },
	[PVPMU_OP_ENABLE] = { op_enable, 1, true },
	[PVPMU_OP_DISABLE] = { op_disable, 1, true },
	[PVPMU_OP_READ] = { op_read, 1, true },
	[PVPMU_OP_UPDATE] = { op_update, 0, true },
};

#define OPERATIONS ((u32)(sizeof(operations) / sizeof(operations[0])))

static s32 serve(struct pvpmu_vcpu *vcpu, const struct pvpmu_call *call, u32 op)
{
	const struct operation *operation;
	u32 i;

	if (!call->kernel)
		return PVPMU_ERR_DENIED;
	if (op >= OPERATIONS)
		return PVPMU_ERR_OPERATION;
	operation = &operations[env_nospec(op, OPERATIONS)];
	for (i = operation->args; i < 3; i++)
		if (call->arg[i])
			return PVPMU_ERR_RESERVED;
	if (operation->area && !vcpu->attached)
		return PVPMU_ERR_NO_AREA;
	return operation->fn(vcpu, call->arg);
}

s32 pvpmu_call(struct pvpmu_vcpu *vcpu, const struct pvpmu_call *call)
{
	u32 op = call->op - PVPMU_OP_BASE;
	s32 result = serve(vcpu, call, op);

	if (vcpu->lost && result != PVPMU_ERR_FRAME)
		result = PVPMU_ERR_NO_AREA;
	vcpu->stats.calls[op < OPERATIONS ? op : OPERATIONS]++;
	if (result < 0)
		vcpu->stats.refused++;
	pvpmu_settle(vcpu);
	return result;
}

#define RDPMC_BITS ((1ull << 48) - 1)

u64 pvpmu_rdpmc(struct pvpmu_vcpu *vcpu, u32 index)
{
	u32 id = index - PVPMU_RDPMC_BASE;

	if (!pvpmu_rdpmc_index(index))
		return 0;
	id = (u32)env_nospec(id, PVPMU_MAX_SLOTS);
	return pvpmu_slot_user_count(vcpu, id) & RDPMC_BITS;
}

void pvpmu_vcpu_detach(struct pvpmu_vcpu *vcpu)
{
	pvpmu_slot_close_all(vcpu);
	pvpmu_slot_return(vcpu);
	pvpmu_counter_destroy_unused(vcpu);
	if (vcpu->attached)
		vcpu->ops->area_detach(vcpu);
	vcpu->attached = false;
	vcpu->restored = false;
	vcpu->lost = false;
}
