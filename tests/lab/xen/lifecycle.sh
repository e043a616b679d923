#!/bin/sh
# Guests that are destroyed, paused or reset at any moment, and vCPUs that are
# taken away, leave nothing in the hypervisor.
# xen-lab: --kernels
# In the deterministic lab the last loop was not seen to end: it waits for a look that
# finds an area of a guest that lives shortly.
# when: all
# all: hundred cycles=100 --timeout 7200
# all: smp cycles=100 --timeout 7200 --smp
# shellcheck source=tests/lab/kvm/lib.sh
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
# guests in all that end at any moment; 12 of a hundred are ended by dom0
cycles=${cycles:-10}
by_itself=$((cycles * 88 / 100))
before=$(totals)

stage "Linux, a vCPU is taken away and given back"
lab-guest start pv --type pv --tiny --mem 160 --smp 2 -- sh -c '
	workload hold 100000 & taskset 2 workload hold 100000 &
	lab-mark up; lab-await >/dev/null
	until echo 1 >/sys/devices/system/cpu/cpu1/online; do sleep 0.2; done 2>/dev/null
	taskset 2 workload count 1000000 3; echo "count $?"
	lab-mark counted; wait'
lab-guest await pv up
comes_to "areas of two vCPUs" 2 areas
xl vcpu-set pv 1
comes_to "areas without the second" 1 areas
xl vcpu-set pv 2
lab-guest tell pv go
lab-guest await pv counted
check "it counts there again" sh -c "lab-guest out pv | grep -q '^count 0'"
comes_to "areas with it" 2 areas
xl destroy pv
comes_to "domains left" 1 domains
comes_to "destroyed" "$before" totals
lab-guest run pv --type pv --smp 2 --mem 384 -- cpus.sh
is "status of a guest whose CPU goes and comes" $? 0
comes_to "after its end" "$before" totals

stage "Linux, destroyed, paused, saved or shut down at any moment"
n=0
while [ $n -lt 5 ]; do
	n=$((n + 1))
	for type in pvh pv; do
		lab-guest start $type --type $type --tiny --mem 160 -- sh -c \
			'workload hold 100000 & lab-mark up; wait'
	done
	for type in pvh pv; do
		lab-guest await $type up
	done
	[ $n != 1 ] || check "while two count: $(totals)" [ "$(totals)" != "$before" ]
	case $n in
	1) sleep 0.1 ;;
	2) xl pause pvh; xl pause pv ;;
	3) xl shutdown -F pvh >/dev/null 2>&1 & ;;
	4) xl trigger pvh nmi 2>/dev/null ;;
	5)
		saved=0
		for type in pvh pv; do
			xl save $type /tmp/$type.save >/tmp/save.txt 2>&1 && saved=$((saved + 1))
			rm -f /tmp/$type.save
		done
		is "saved" $saved 2
		break
		;;
	esac
	xl destroy pvh & xl destroy pv
	wait
done
comes_to "domains left" 1 domains
comes_to "after 10 guests" "$before" totals

stage "small kernels, ended at any moment"
kinds='pvh-64 pv-64 pvh-32 pv-32'
# started COMMAND: one of each kind
started() {
	for kind in $kinds; do
		kernel start $kind $kind "$1"
	done
}
counting() {
	for kind in $kinds; do
		lab-guest await $kind up
	done
}
n=0
while [ $n -lt 3 ] && [ $bad = 0 ]; do
	n=$((n + 1))
	case $((n % 3)) in
	0) started count ;;
	1)
		started count
		counting
		[ $n != 1 ] || check "while four count: $(totals)" [ "$(totals)" != "$before" ]
		sleep 0.$n
		;;
	2)
		started count
		counting
		for kind in $kinds; do xl pause $kind; done
		;;
	esac
	for kind in $kinds; do
		xl destroy $kind 2>/dev/null &
	done
	wait
	comes_to "round $n: domains left" 1 domains
done
is "rounds of four" $n 3
comes_to "after them" "$before" totals

# xl begins each of them anew, which takes less than to run xl for each
again='on_poweroff = "restart"
on_reboot = "restart"
on_crash = "restart"
on_watchdog = "restart"'
for kind in $kinds; do
	kernel start $kind $kind end --xl "$again"
done
until first=$(xl domid pvh-64 2>/dev/null); do sleep 0.2; done
n=0
ended=0
seen=0
until { [ $ended -ge $by_itself ] && [ $seen = 1 ]; } || [ $n = 200 ]; do
	n=$((n + 1))
	sleep 2
	# there may be none just now
	ended=$(xl list | awk -v first="$first" -v ended=$ended '
		NR > 2 && $2 - first > ended { ended = $2 - first }
		END { print ended }')
	# dom0 is busy enough
	[ $seen = 1 ] || [ "$(totals | cut -d ' ' -f 1)" = 0 ] || seen=1
done
is "areas of them were seen" $seen 1
check "guests that ended by themselves, or in the middle of it: $ended" [ $ended -ge $by_itself ]
# nobody is there any more to begin them anew
killall xl
# one that was just being made may have no name
n=0
until [ "$(xl list | wc -l)" = 2 ] || [ $n = 20 ]; do
	n=$((n + 1))
	for id in $(xl list | awk 'NR > 2 { print $2 }'); do
		xl destroy "$id" 2>/dev/null
	done
	sleep 0.5
done
comes_to "domains left of these small guests" 1 domains
comes_to "after these small guests" "$before" totals

stage "small kernels go on after a soft reset, where nothing of theirs is left"
# PV guests have no soft reset
for kind in pvh-64 pvh-32; do
	kernel start $kind $kind reset --xl 'on_soft_reset = "preserve"'
	lab-guest await $kind up
	until [ "$(xl list $kind | awk 'NR == 2 { print substr($5, 4, 1) }')" = s ]; do sleep 0.2; done
	comes_to "$kind: areas before a soft reset" 1 areas
	/lab/kernels/softreset "$(xl domid $kind)"
	is "$kind: soft reset" $? 0
	is "$kind: after it" "$(totals)" "0 areas mapped, 0 counters running, 4 timers"
	xl unpause $kind
	comes_to "$kind: finds nothing left, and counts again" 1 areas
	xl destroy $kind
	comes_to "$kind: and after its end" "$before" totals
done
comes_to "at the end" "$before" totals
check "the hypervisor says nothing of it" sh -c \
	'! { cat /tmp/xen.log; xl dmesg; } | grep -i -E "assert|bug on|panic"'
end
