#!/bin/sh
# What an operator decides holds from the beginning, for VMs by name, and on a
# kernel that is locked down; and guests that come and go are no work for the host.
# kvm-lab: --host-param slots_vcpu=0
. lib.sh
. ctl-lib.sh
tracing=/sys/kernel/tracing

stage "off unless it is switched on"
for name in a b; do
	lab-guest start $name --tiny --no-module -- sh -c '
		insmod /lab/modules/pvpmu.ko 2>/dev/null; echo "first: $?"
		lab-mark up; lab-await >/dev/null
		insmod /lab/modules/pvpmu.ko 2>/dev/null; echo "then: $?"
		workload count 1000000 3 >/dev/null 2>&1; echo "count: $?"
		lab-mark counted; lab-await'
	lab-guest await $name up
done
is "without a word nobody has it" "$(lab-guest out a | head -n 1)" "first: 1"
vm=$(lab-guest pid a)
is "no VM is known" "$(lines "$vm" pvpmuctl limits)" 0
pvpmuctl on "$vm"
is "on, before it has called" $? 0
lab-guest tell a go
lab-guest tell b go
lab-guest await a counted
lab-guest await b counted
is "that one has it" "$(lab-guest out a | sed -n '2,3p' | tr '\n' ' ')" "then: 0 count: 0 "
is "another has it not" "$(lab-guest out b | sed -n 2p)" "then: 1"
pvpmuctl limits
pvpmuctl on 9999999 2>/dev/null
is "a process that does not exist" $? 1
pvpmuctl on 4294967295 2>/dev/null
is "a number that no VM has" $? 1
is "it is not all" "$(limit later slots_vcpu)" 0

stage "by name and by control group"
pvpmuctl on nobody 2>/dev/null
is "a name that nobody has" $? 1
pvpmuctl set b slots_vcpu=4
is "its name is its VMM's" "$(limit "$(lab-guest pid b)" slots_vcpu)" 4
check "it is listed by name" sh -c "pvpmuctl list | grep -q ' a$'"
mkdir -p /sys/fs/cgroup
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/tenants
echo "$vm" >/sys/fs/cgroup/tenants/cgroup.procs
pvpmuctl set cgroup:tenants slots_vcpu=3
is "a control group" "$(limit "$vm" slots_vcpu)" 3

stage "several lines on one descriptor"
numbers() { sed -n 's/^0 //p' /dev/pvpmu_kvm_control; }
{
	echo "4294967295 5 1024 7 1000 100000 50000"
	echo "4294967295 6 1024 7 1000 100000 50000"
} >/dev/pvpmu_kvm_control
is "the second line" "$(numbers)" "6 1024 7 1000 100000 50000"

stage "guests come and go"
lab-guest kill a
lab-guest kill b
pvpmuctl on all
echo perf_sched_delayed >$tracing/set_ftrace_filter
echo function >$tracing/current_tracer
for _ in 1 2; do
	pvpmu-kvm-selftest reset >/dev/null
	sleep 3
done
is "times that perf's last event went" "$(grep -c 'perf_sched_delayed <-' $tracing/trace)" 0
echo nop >$tracing/current_tracer

stage "a kernel that is locked down"
mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
echo integrity >/sys/kernel/security/lockdown
grep -q '\[integrity\]' /sys/kernel/security/lockdown
is "it is locked down" $? 0
pvpmuctl list >/dev/null
is "listed" $? 0
pvpmuctl set all slots_vm=77
is "set" "$(limit later slots_vm)" 77
end
