// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: what the administrator allows
 *
 * Module parameters are for all VMs.  All of them may be changed while guests
 * run, through /sys/module/pvpmu_kvm/parameters; the next call of each vCPU sees
 * it.  A VM may have limits of its own, until a parameter is written again.
 * What was granted before stays, but for enable=0 and for a VM that is to have
 * no slots: those close everything.
 *
 * Limits of a VM's own belong to the process of its VMM, since a VM that is not
 * shown pvpmu does not call, and is not known here.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "pvpmu_kvm.h"

/**
 * struct own - limits of a process's own
 * @process: whose; holds a reference
 * @limits: of the VMs that it has and will have
 * @entry: in the list
 */
struct own {
	struct pid *process;
	struct pvpmu_limits limits;
	struct list_head entry;
};

static DEFINE_MUTEX(lock);
static struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
static LIST_HEAD(owns); /* changed under the lock, read under RCU */

/* VMs can be there. */
static bool ready;

bool pk_enabled = true;

/* The limits of VMs whose process has none of its own */
struct pvpmu_limits pk_default_limits(void)
{
	return limits;
}

/* The limits of a VM of the current process that comes now */
struct pvpmu_limits pk_limits(void)
{
	struct pvpmu_limits found = limits;
	const struct own *own;

	rcu_read_lock();
	list_for_each_entry_rcu(own, &owns, entry)
		if (own->process == task_tgid(current))
			found = own->limits;
	rcu_read_unlock();
	return found;
}

static void forget(struct own *own)
{
	lockdep_assert_held(&lock);
	list_del_rcu(&own->entry);
	synchronize_rcu();
	put_pid(own->process);
	kfree(own);
}

static bool is_process(struct pid *process)
{
	bool lives;

	rcu_read_lock();
	lives = pid_task(process, PIDTYPE_TGID);
	rcu_read_unlock();
	return lives;
}

/* Lets go of those whose process has ended, or of all. */
static void forget_owns(bool all)
{
	struct own *own, *next;

	list_for_each_entry_safe(own, next, &owns, entry)
		if (all || !is_process(own->process))
			forget(own);
}

static struct own *own_of(struct pid *process)
{
	struct own *own;

	list_for_each_entry(own, &owns, entry)
		if (own->process == process)
			return own;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return NULL;
	own->process = get_pid(process);
	own->limits = limits;
	list_add_rcu(&own->entry, &owns);
	return own;
}

/* Of that process.  0, -ESRCH, -ENOMEM */
static int set_own(u32 number, const struct pvpmu_limits *to)
{
	struct pid *process = find_get_pid(number);
	struct own *own;
	int err = 0;

	forget_owns(false);
	if (!is_process(process)) {
		err = -ESRCH;
	} else {
		own = own_of(process);
		if (own)
			own->limits = *to;
		else
			err = -ENOMEM;
	}
	put_pid(process);
	return err;
}

/**
 * pk_owns_each() - looks at the limits that processes have of their own
 * @fn: what to do
 * @data: passed to @fn
 *
 * Context: process.
 */
void pk_owns_each(void (*fn)(u32 number, const struct pvpmu_limits *limits,
			     void *data), void *data)
{
	struct own *own;

	mutex_lock(&lock);
	forget_owns(false);
	list_for_each_entry(own, &owns, entry)
		fn(pid_nr(own->process), &own->limits, data);
	mutex_unlock(&lock);
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
	struct own *own;

	mutex_lock(&lock);
	WRITE_ONCE(*word_of(&limits, offset), value);
	list_for_each_entry(own, &owns, entry)
		WRITE_ONCE(*word_of(&own->limits, offset), value);
	if (ready)
		pk_vms_each(change_vm, &change);
	mutex_unlock(&lock);
}

/* What the VMs of a process, or all if @number is 0, are to be limited to */
struct limiting {
	u32 number;
	const struct pvpmu_limits *to;
};

static void limit_vm(struct pk_vm *vm, void *data)
{
	const struct limiting *limiting = data;

	if (!limiting->number || vm->number == limiting->number)
		pvpmu_vm_limit(&vm->core, limiting->to);
}

static void limit_vms(u32 number, const struct pvpmu_limits *to)
{
	struct limiting limiting = { number, to };

	pk_vms_each(limit_vm, &limiting);
	if (!to->slots_vcpu)
		pk_vcpus_detach(number);
}

/**
 * pk_limit() - changes all limits at once
 * @number: of the VMs of that process, of all there are and will be if it is
 *          PK_ALL, of those that will be if it is PK_LATER
 * @to: any
 *
 * Context: process.
 * Return: 0, -EINVAL (they make no sense), -ESRCH (there is no such process),
 *         -ENOMEM
 */
int pk_limit(u32 number, const struct pvpmu_limits *to)
{
	int err = 0;

	if (!pvpmu_limits_make_sense(to))
		return -EINVAL;
	mutex_lock(&lock);
	if (number == PK_ALL || number == PK_LATER)
		limits = *to;
	else
		err = set_own(number, to);
	if (number == PK_ALL)
		forget_owns(true);
	if (!err && number != PK_LATER)
		limit_vms(number, to);
	mutex_unlock(&lock);
	return err;
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
	mutex_unlock(&lock);
}

/* The module's end: there are no VMs any more. */
void pk_params_exit(void)
{
	mutex_lock(&lock);
	forget_owns(true);
	mutex_unlock(&lock);
}
