#!/bin/sh
# Guests that are destroyed, paused, saved, reset or crashed at any moment, and
# vCPUs that are taken away, leave nothing in the hypervisor.
# xen-lab: --kernels --timeout 1500
# shellcheck source=tests/lab/kvm/lib.sh
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
before=$(totals)

stage "Linux, a vCPU is taken away and given back"
lab-guest start pv --type pv --tiny --mem 160 --smp 2 -- sh -c '
	workload hold 100000 & taskset 2 workload hold 100000 &
	lab-mark up; lab-await >/dev/null
	until echo 1 >/sys/devices/system/cpu/cpu1/online; do sleep 0.2; done 2>/dev/null
	taskset 2 workload count 1000000 3; echo "count $?"
	lab-mark counted; wait'
lab-guest await pv up
is "areas of two vCPUs" "$(areas 2)" 2
xl vcpu-set pv 1
is "areas without the second" "$(areas 1)" 1
xl vcpu-set pv 2
lab-guest tell pv go
lab-guest await pv counted
check "it counts there again" sh -c "lab-guest out pv | grep -q '^count 0'"
is "areas with it" "$(areas 2)" 2
xl destroy pv
is "domains left" "$(alone)" 1
is "destroyed" "$(totals)" "$before"
lab-guest run pv --type pv --smp 2 --mem 384 -- cpus.sh
is "status of a guest whose CPU goes and comes" $? 0
is "after its end" "$(totals)" "$before"

stage "Linux, paused"
lab-guest start pvh --type pvh --tiny --mem 160 -- sh -c 'workload hold 100000 & lab-mark up; wait'
lab-guest await pvh up
is "areas" "$(areas 1)" 1
xl pause pvh
xl destroy pvh
is "domains left" "$(alone)" 1
is "destroyed" "$(totals)" "$before"

stage "small kernels end, a hundred of them"
kinds='pvh-64 pv-64 pvh-32 pv-32'
# begin COMMAND: one of each kind, by nothing but xl, which takes most of the time
begin() {
	for kind in $kinds; do
		printf '%s\n' "name = \"$kind\"" "type = \"${kind%-*}\"" \
			"kernel = \"/lab/kernels/kernel${kind#*-}\"" \
			"cmdline = \"$1\"" 'memory = 16' 'vcpus = 1' >/tmp/config
		: >"/var/log/xen/console/guest-$kind.log"
		if xl create -e -q /tmp/config; then
			made=$((made + 1))
		else
			fail "$kind: not made"
		fi
	done
}
# waits until all of them count
counting() {
	tries=0
	for kind in $kinds; do
		until [ "$(told $kind mark)" = up ] || [ $tries = 300 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
	done
	[ $tries -lt 300 ] || fail "not all of $kinds count"
}
# save NAME: it has no driver for the store, and is told by its console
save() {
	request=/local/domain/$(xl domid "$1")/control/shutdown
	xl save "$1" "/tmp/$1.save" >/tmp/save.txt 2>&1 &
	until [ "$(xenstore-read "$request")" = suspend ] || ! kill -0 $!; do
		sleep 0.1
	done
	xenstore-write "$request" ''
	lab-guest tell "$1" 1
	wait $! && return
	cat /tmp/save.txt
	fail "$1: not saved"
	return 1
}
made=0
round=0
while [ $round -lt 25 ] && [ $bad = 0 ]; do
	round=$((round + 1))
	case $((round % 6)) in
	0) begin count ;;
	1)
		begin count
		counting
		sleep 0.$round
		;;
	2)
		begin count
		counting
		[ $round != 2 ] || check "while four count: $(totals)" [ "$(totals)" != "$before" ]
		for kind in $kinds; do xl pause $kind; done
		;;
	3)
		# poweroff, reboot, suspend, crash, watchdog
		begin "leave $((round / 6))"
		counting
		;;
	4) begin "die $((round * 1000000))" ;;
	5)
		begin suspend
		counting
		save pvh-64
		rm /tmp/pvh-64.save
		;;
	esac
	for kind in $kinds; do
		xl destroy $kind 2>/dev/null &
	done
	wait
done
is "guests that were made" $made 100
is "domains left" "$(alone)" 1
is "after a hundred guests" "$(totals)" "$before"

stage "small kernels go on where nothing of theirs is left"
# PV guests have no soft reset
for kind in pvh-32 pvh-64; do
	kernel start $kind $kind reset --xl 'on_soft_reset = "preserve"'
	lab-guest await $kind up
	until [ "$(xl list $kind | awk 'NR == 2 { print substr($5, 4, 1) }')" = s ]; do sleep 0.2; done
	is "$kind: areas before a soft reset" "$(areas 1)" 1
	/lab/kernels/softreset "$(xl domid $kind)"
	is "$kind: soft reset" $? 0
	is "$kind: after it" "$(totals)" "0 areas mapped, 0 counters running, 4 timers"
	xl unpause $kind
	is "$kind: finds nothing left, and counts again" "$(areas 1)" 1
	xl destroy $kind
	is "$kind: and after its end" "$(totals)" "$before"

	kernel start $kind $kind suspend
	lab-guest await $kind up
	if save $kind; then
		is "$kind: saved while it counted" "$(totals)" "$before"
		xl restore /tmp/$kind.save >/tmp/restore.txt 2>&1 || cat /tmp/restore.txt
		lab-guest wait $kind
		is "$kind: all of restore" $? 0
		lab-guest out $kind | sed "s/^\(PASS\|FAIL\) /&$kind: restore: /"
	else
		xl dmesg | tail -n 5
		cat "/var/log/xen/console/guest-$kind.log"
		xl list
		xl destroy $kind
	fi
	rm -f /tmp/$kind.save
done
is "at the end" "$(totals)" "$before"
check "the hypervisor says nothing of it" sh -c '! xl dmesg | grep -i -E "assert|bug on|panic"'
end
