/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu on KVM: what a virtual machine monitor may ask of /dev/pvpmu_kvm
 *
 * A VMM that moves a guest need not know of pvpmu: the guest notices, and
 * registers again.  One that wants no event to be lost takes a record of each
 * vCPU along, see docs/porting.md.
 *
 * Both ioctls are made by the process that the VM belongs to, from any of its
 * threads, while the vCPU is not in KVM_RUN; they wait for that.
 *
 *	PVPMU_KVM_SAVE     after the vCPU was stopped for good, as its registers
 *	                   are read
 *	PVPMU_KVM_RESTORE  after the VM's memory, the vCPU's local APIC and its
 *	                   KVM_SET_MP_STATE, which ends what the vCPU had
 *
 * They fail with
 *
 *	EBADF   @vm is not the descriptor of a VM
 *	ENOENT  the VM has no vCPU with that id
 *	EIO     the VM is another process's
 *	ENODEV  the administrator has switched pvpmu off
 *	EINVAL  @reserved is not zero
 *	EFAULT, EINTR, ENOMEM
 *
 * and otherwise leave core's answer in @result: PVPMU_OK, or one of
 * PVPMU_ERR_*, with nothing changed.  PVPMU_ERR_NO_AREA from SAVE says that
 * there is nothing to be taken along.
 */
#ifndef PVPMU_KVM_UAPI_H
#define PVPMU_KVM_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include <pvpmu/record.h>

#define PVPMU_KVM_DEVICE "pvpmu_kvm"

/**
 * struct pvpmu_kvm_record - a vCPU and its record
 * @vm: descriptor of the VM
 * @vcpu: id of the vCPU, as in KVM_CREATE_VCPU
 * @result: answer of the host
 * @reserved: zero
 * @record: written by SAVE if @result is PVPMU_OK, read by RESTORE
 */
struct pvpmu_kvm_record {
	__s32 vm;
	__u32 vcpu;
	__s32 result;
	__u32 reserved;
	struct pvpmu_record record;
};

#define PVPMU_KVM_SAVE _IOWR(0xd8, 0, struct pvpmu_kvm_record)
#define PVPMU_KVM_RESTORE _IOWR(0xd8, 1, struct pvpmu_kvm_record)

#endif /* PVPMU_KVM_UAPI_H */
