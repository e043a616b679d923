#!/bin/sh
# Driver on and off, host module loaded and unloaded under running guests,
# guests killed: nothing is left behind.
# all: hundred cycles=100 --timeout 7200
# all: smp cycles=100 --timeout 7200 --smp
. lib.sh
# how often; more may show what happens rarely
cycles=${cycles:-10}
stats=/sys/kernel/debug/pvpmu_kvm/stats
live() { sed -n 's/^live_\([a-z]*\) \(.*\)/\1=\2/p' $stats | tr '\n' ' '; }
refs() { sed -n "s/^$1 [0-9]* \([0-9]*\) .*/\1/p" /proc/modules; }

none='vms=0 vcpus=0 areas=0 events=0 '

# nothing_left NAME: what is left of a guest may go a moment after its end
nothing_left() { comes_to "$1" "$none" live; }

stage "driver off and on"
# on and off, with and without events
lab-guest run a -- sh -c '
	p=/sys/module/pvpmu/parameters/active
	for i in $(seq '$((cycles / 2))'); do echo 0 >$p && echo 1 >$p || exit 1; done
	workload busy 100000 & w=$!
	perf stat -e instructions,cycles -p $w 2>/dev/null &
	for i in $(seq '$((cycles / 2))'); do echo 0 >$p && echo 1 >$p || exit 1; done
	kill $w; wait
	workload count 1000000 3'
is "$cycles times off and on, then a count" $? 0
nothing_left "nothing left"

stage "host module without guests"
# without a guest, then under a running perf stat
n=0
for _ in $(seq $((cycles / 2))); do
	unload_host && load_host && n=$((n + 1))
done
is "loaded and unloaded without a guest" $n $((cycles / 2))
stage "host module under a guest"
lab-guest start a -- sh -c '
	workload busy 100000 & w=$!
	perf stat -e instructions:u -I 200 -o /tmp/stat -p $w &
	until grep -q instructions /tmp/stat 2>/dev/null; do sleep 0.1; done
	lab-mark up; lab-await
	before=$(wc -l </tmp/stat)
	sleep 3
	sed 1,${before}d /tmp/stat | head -n 30
	echo --
	workload count 1000000 3
	rc=$?
	kill $w
	exit $rc'
lab-guest await a up
n=0
for _ in $(seq $((cycles / 2))); do
	unload_host && load_host && n=$((n + 1))
done
is "loaded and unloaded under a perf stat" $n $((cycles / 2))
lab-guest tell a go
lab-guest wait a
is "the guest counts on" $? 0
lab-guest out a
# within the guest's second to notice, the running perf stat counts again
n=$(lab-guest out a | sed '/^--/q' | tail -n 5 | tr -d , |
	awk '/instructions:u/ && $2 + 0 > 1000000 { n++ } END { print n + 0 }')
check "the perf stat carries on: $n of its last intervals count" [ "$n" -ge 3 ]
nothing_left "nothing left"

stage "guests killed"
# guests, four at a time, killed while they count and sample
batches=$((1 + cycles / 25))
for batch in $(seq $batches); do
	for g in 1 2 3 4; do
		lab-guest start "k$g" --tiny --mem 128M -- sh -c 'workload hold 100000 & lab-mark up; wait'
	done
	for g in 1 2 3 4; do
		lab-guest await "k$g" up
	done
	sleep 0.2
	[ $batch = 1 ] && echo "four guests counting: $(live)"
	for g in 1 2 3 4; do
		lab-guest kill "k$g"
	done
done
stage "the end"
nothing_left "$((4 * batches)) guests killed, nothing left"
is "references to the module" "$(refs pvpmu_kvm)" 0
is "overflows and calls are idle" "$(sed -n 's/^hooks_busy //p' $stats)" 0
unload_host
is "it unloads" $? 0
for m in kvm_amd kvm; do
	rmmod $m
	is "$m unloads: nothing holds it" $? 0
done
end
