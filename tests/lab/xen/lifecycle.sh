#!/bin/sh
# Guests that are destroyed, paused or crashed at any moment leave nothing in
# the hypervisor.
# xen-lab: --timeout 1500
. lib.sh
totals() {
	xl debug-keys k
	xl dmesg | sed -n 's/.*pvpmu: \([0-9]* areas.*\)/\1/p' | tail -n 1
}
before=$(totals)
n=0
while [ $n -lt 6 ]; do
	n=$((n + 1))
	for type in pvh pv; do
		lab-guest start $type --type $type --tiny --mem 160 -- sh -c \
			'workload hold 100000 & lab-mark up; wait'
	done
	for type in pvh pv; do
		lab-guest await $type up
	done
	[ $n != 1 ] || check "while two count: $(totals)" [ "$(totals)" != "$before" ]
	case $((n % 4)) in
	1) sleep 0.$((n % 7)) ;;
	2) xl pause pvh; xl pause pv ;;
	3) xl shutdown -F pvh >/dev/null 2>&1 & ;;
	0) xl trigger pvh nmi 2>/dev/null ;;
	esac
	xl destroy pvh & xl destroy pv
	wait
done
for type in pvh pv; do
	lab-guest run $type --type $type --smp 2 --mem 384 -- cpus.sh
	is "$type: status of a guest whose CPU goes and comes" $? 0
done
sleep 1
xl list
is "after 14 guests" "$(totals)" "$before"
is "domains left" "$(xl list | tail -n +2 | wc -l)" 1
check "the hypervisor says nothing of it" sh -c '! xl dmesg | grep -i -E "assert|bug on|panic"'
end
