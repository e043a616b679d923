// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: a device with which a VMM takes vCPUs from host to host
 *
 * Core makes and checks the record; here is only who may ask, and for which
 * vCPU.  While a VMM has the device open, the module stays.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "callee.h"
#include "pvpmu_kvm.h"
#include "uapi.h"

/*
 * Counters stand still meanwhile: the thread may be running outside of its
 * guest, and a clock with it.
 *
 * Context: foreign.
 */
static int save(struct pk_vcpu *vcpu, struct pvpmu_kvm_record *arg)
{
	pk_vcpu_lock_foreign(vcpu);
	pk_counters_quiesce(vcpu);
	arg->result = pvpmu_save(&vcpu->core, &arg->record);
	pk_counters_go_on(vcpu);
	pk_vcpu_unlock_foreign(vcpu);
	return 0;
}

/*
 * Context: the vCPU's own, but for the thread, which need not be the one that
 * will run it.  Nothing counts before that.
 */
static int restore(struct pk_vcpu *vcpu, struct pvpmu_kvm_record *arg)
{
	struct kvm *kvm = vcpu->kvm_vcpu->kvm;
	int idx = srcu_read_lock(&kvm->srcu);
	int err = 0;

	pk_vcpu_lock(vcpu);
	if (READ_ONCE(pk_enabled) && !vcpu->gone)
		arg->result = pvpmu_restore(&vcpu->core, &arg->record);
	else
		err = -ENODEV;
	pk_vcpu_unlock(vcpu);
	srcu_read_unlock(&kvm->srcu, idx);
	return err;
}

static int serve_vcpu(struct kvm *kvm, unsigned int command,
		      struct pvpmu_kvm_record *arg)
{
	struct kvm_vcpu *kvm_vcpu;
	struct pk_vcpu *vcpu;
	int err = -ENOMEM;

	if (kvm->mm != current->mm || kvm->vm_dead)
		return -EIO;
	kvm_vcpu = kvm_get_vcpu_by_id(kvm, arg->vcpu);
	if (!kvm_vcpu)
		return -ENOENT;
	/* As KVM's own ioctls of a vCPU do. */
	if (mutex_lock_killable(&kvm_vcpu->mutex))
		return -EINTR;
	vcpu = pk_vcpu_get(kvm_vcpu);
	if (vcpu)
		err = command == PVPMU_KVM_SAVE ? save(vcpu, arg) :
						  restore(vcpu, arg);
	mutex_unlock(&kvm_vcpu->mutex);
	return err;
}

static int serve(unsigned int command, struct pvpmu_kvm_record *arg)
{
	struct file *vm;
	int err;

	if (arg->reserved)
		return -EINVAL;
	if (!READ_ONCE(pk_enabled))
		return -ENODEV;
	vm = fget(arg->vm);
	if (!vm)
		return -EBADF;
	err = pk_file_is_kvm(vm) ? serve_vcpu(vm->private_data, command, arg) :
				   -EBADF;
	fput(vm);
	return err;
}

static long device_ioctl(struct file *file, unsigned int command,
			 unsigned long address)
{
	void __user *user = (void __user *)address;
	struct pvpmu_kvm_record *arg;
	long err;

	if (command != PVPMU_KVM_SAVE && command != PVPMU_KVM_RESTORE)
		return -ENOTTY;
	arg = memdup_user(user, sizeof(*arg));
	if (IS_ERR(arg))
		return PTR_ERR(arg);
	err = serve(command, arg);
	if (!err && copy_to_user(user, arg, sizeof(*arg)))
		err = -EFAULT;
	kfree(arg);
	return err;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = PVPMU_KVM_DEVICE,
	.fops = &device_fops,
};

/* Context: Process; vCPUs are served already. */
int pk_record_init(void)
{
	return misc_register(&device);
}

/* Context: Process; nobody has the device open. */
void pk_record_exit(void)
{
	misc_deregister(&device);
}
