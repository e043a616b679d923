#!/bin/sh
# A guest that has both sides, and guests of its own: the module's own test, in
# a guest, and then a Linux in it.  What is counted there comes through two
# levels, and perf in the middle tells itself from its guests.
# kvm-lab: --host-mem 3G --timeout 900
. lib.sh
lab-guest run a --host --smp 2 --mem 1G -- sh -c '
	. lib.sh
	for m in $(cat /modules/kvm.order); do
		insmod "/modules/$m" || exit 125
	done
	load_host || exit 125
	pvpmu-kvm-selftest
	is "status of pvpmu-kvm-selftest" $? 0
	lab-guest run b --tiny --mem 192M -- workload count 1000000 3
	is "status of a Linux that counts" $? 0
	unload_host
	is "the module unloads" $? 0
	end'
is "status of the nested host" $? 0
comes_to "areas left" 0 sed -n 's/^live_areas //p' /sys/kernel/debug/pvpmu_kvm/stats
end
