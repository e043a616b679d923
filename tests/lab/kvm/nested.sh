#!/bin/sh
# A guest that has both sides, and guests of its own: the module's own test, in
# a guest.  What it counts there comes through two levels, and perf in that guest
# tells itself from its guests.
# kvm-lab: --timeout 900
. lib.sh
lab-guest run a --smp 2 --mem 512M --kvm --give /lab/bin/pvpmu-kvm-selftest -- sh -c '
	for m in $(cat /modules/kvm.order); do
		insmod "/modules/$m" || exit 125
	done
	insmod /lab/modules/pvpmu_kvm.ko || exit 125
	pvpmu-kvm-selftest && rmmod pvpmu_kvm'
is "status of the nested host" $? 0
is "areas left" "$(sed -n 's/^live_areas //p' /sys/kernel/debug/pvpmu_kvm/stats)" 0
end
