// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: what the administrator allows
 *
 * Module parameters are for all VMs.  All of them may be changed while guests
 * run, through /sys/module/pvpmu_kvm/parameters; the next call of each vCPU sees
 * it.  A VM may have limits of its own, until a parameter is written again.
 * What was granted before stays, but for enable=0 and for a VM that is to have
 * no slots: those close everything.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "pvpmu_kvm.h"

static DEFINE_MUTEX(lock);
static struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;

/* Shows the limits to vCPUs that did not call yet. */
static struct pvpmu_vm default_vm;

/* VMs can be there. */
static bool ready;

bool pk_enabled = true;

/* The limits of a VM that comes now */
struct pvpmu_limits pk_limits(void)
{
	return limits;
}

/* A VM that has these limits and nothing else */
const struct pvpmu_vm *pk_default_vm(void)
{
	return &default_vm;
}

/* One limit, by where it is in struct pvpmu_limits */
struct change {
	size_t offset;
	u32 value;
};

static u32 *word_of(struct pvpmu_limits *of, size_t offset)
{
	return (void *)of + offset;
}

static void change_vm(struct pk_vm *vm, void *data)
{
	struct pvpmu_limits changed = vm->core.limits;
	const struct change *change = data;

	*word_of(&changed, change->offset) = change->value;
	pvpmu_vm_limit(&vm->core, &changed);
}

static void change_all(size_t offset, u32 value)
{
	struct change change = { offset, value };

	mutex_lock(&lock);
	WRITE_ONCE(*word_of(&limits, offset), value);
	pvpmu_vm_limit(&default_vm, &limits);
	if (ready)
		pk_vms_each(change_vm, &change);
	mutex_unlock(&lock);
}

/* The limits of one VM, by number */
struct own_limits {
	u32 number;
	const struct pvpmu_limits *limits;
	bool found;
};

static void limit_vm(struct pk_vm *vm, void *data)
{
	struct own_limits *own = data;

	if (own->number && vm->number != own->number)
		return;
	own->found = true;
	pvpmu_vm_limit(&vm->core, own->limits);
}

/**
 * pk_limit() - changes all limits at once
 * @vm: of that VM, or if it is 0, of all there are and will be
 * @to: any
 *
 * Context: process.
 * Return: 0, -EINVAL (they make no sense), -ESRCH (there is no such VM)
 */
int pk_limit(u32 vm, const struct pvpmu_limits *to)
{
	struct own_limits own = { vm, to, !vm };

	if (!pvpmu_limits_make_sense(to))
		return -EINVAL;
	mutex_lock(&lock);
	if (!vm) {
		limits = *to;
		pvpmu_vm_limit(&default_vm, to);
	}
	pk_vms_each(limit_vm, &own);
	if (!to->slots_vcpu)
		pk_vcpus_detach(vm);
	mutex_unlock(&lock);
	return own.found ? 0 : -ESRCH;
}

/**
 * struct number - a limit that is a number
 * @offset: where it is in struct pvpmu_limits
 * @name: how it is called
 * @min: smallest value
 * @max: largest value
 */
struct number {
	size_t offset;
	const char *name;
	u32 min;
	u32 max;
};

static int set_number(const char *text, const struct kernel_param *param)
{
	const struct number *number = param->arg;
	u32 value;

	if (kstrtou32(text, 0, &value) || value < number->min ||
	    value > number->max) {
		pr_err("pvpmu: %s must be a number from %u to %u\n",
		       number->name, number->min, number->max);
		return -EINVAL;
	}
	change_all(number->offset, value);
	return 0;
}

static int get_number(char *text, const struct kernel_param *param)
{
	const struct number *number = param->arg;

	return sysfs_emit(text, "%u\n", READ_ONCE(*word_of(&limits, number->offset)));
}

static const struct kernel_param_ops number_ops = {
	.set = set_number,
	.get = get_number,
};

#define NUMBER_PARAM(field, least, most, text)                                \
	static const struct number number_##field = {                         \
		.offset = offsetof(struct pvpmu_limits, field),               \
		.name = #field,                                               \
		.min = (least),                                               \
		.max = (most),                                                \
	};                                                                    \
	module_param_cb(field, &number_ops, (void *)&number_##field, 0644);   \
	MODULE_PARM_DESC(field, text)

NUMBER_PARAM(slots_vcpu, 0, PVPMU_MAX_SLOTS,
	     "events that a vCPU may have open (0: none, and not shown)");
NUMBER_PARAM(slots_vm, 0, U32_MAX,
	     "events that all vCPUs of a VM may have open together");
NUMBER_PARAM(period_min, 1, U32_MAX,
	     "shortest sample period of a counted event, in events");
NUMBER_PARAM(clock_period_min, PVPMU_CLOCK_PERIOD_LEAST, U32_MAX,
	     "shortest sample period of the clock, in ns");
NUMBER_PARAM(overflow_rate, 1, U32_MAX,
	     "overflows per second and vCPU, above which events are throttled");

static const char *const class_names[] = {
	"basic",
	"cache",
	"hypervisor",
	"raw",
};

static_assert(PVPMU_CLASS_BASIC == BIT(0) && PVPMU_CLASS_CACHE == BIT(1) &&
	      PVPMU_CLASS_HYPERVISOR == BIT(2) && PVPMU_CLASS_RAW == BIT(3));

static int parse_classes(char *text, u32 *classes)
{
	char *name;

	*classes = 0;
	while ((name = strsep(&text, ","))) {
		int i;

		name = strim(name);
		if (!*name || !strcmp(name, "none"))
			continue;
		i = match_string(class_names, ARRAY_SIZE(class_names), name);
		if (i < 0) {
			pr_err("pvpmu: no class '%s'; there are basic, cache, hypervisor, raw and none\n",
			       name);
			return -EINVAL;
		}
		*classes |= BIT(i);
	}
	return 0;
}

static int set_classes(const char *text, const struct kernel_param *param)
{
	char *copy = kstrdup(text, GFP_KERNEL);
	u32 classes;
	int err;

	if (!copy)
		return -ENOMEM;
	err = parse_classes(copy, &classes);
	kfree(copy);
	if (err)
		return err;
	change_all(offsetof(struct pvpmu_limits, classes), classes);
	return 0;
}

static int get_classes(char *text, const struct kernel_param *param)
{
	u32 classes = READ_ONCE(limits.classes);
	int i, len = 0;

	for (i = 0; i < ARRAY_SIZE(class_names); i++)
		if (classes & BIT(i))
			len += sysfs_emit_at(text, len, "%s%s", len ? "," : "",
					     class_names[i]);
	return len + sysfs_emit_at(text, len, len ? "\n" : "none\n");
}

static const struct kernel_param_ops classes_ops = {
	.set = set_classes,
	.get = get_classes,
};

module_param_cb(classes, &classes_ops, NULL, 0644);
MODULE_PARM_DESC(classes, "events granted: basic,cache,hypervisor,raw or none");

static int set_enable(const char *text, const struct kernel_param *param)
{
	bool on;

	if (kstrtobool(text, &on)) {
		pr_err("pvpmu: enable must be 0 or 1\n");
		return -EINVAL;
	}
	mutex_lock(&lock);
	WRITE_ONCE(pk_enabled, on);
	if (ready && !on)
		pk_vcpus_detach(0);
	mutex_unlock(&lock);
	return 0;
}

static const struct kernel_param_ops enable_ops = {
	.set = set_enable,
	.get = param_get_bool,
};

module_param_cb(enable, &enable_ops, &pk_enabled, 0644);
MODULE_PARM_DESC(enable, "serve guests (default 1)");

/* Parameters take effect from here on. */
void pk_params_init(void)
{
	mutex_lock(&lock);
	ready = true;
	pvpmu_vm_init(&default_vm, &limits);
	mutex_unlock(&lock);
}
