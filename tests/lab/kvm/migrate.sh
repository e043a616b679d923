#!/bin/sh
# Live migration, QEMU to QEMU, while the guest counts and samples: nothing goes
# back, nothing stands still for long, what is lost is told.  Then to hosts that
# are not as the one before.
# kvm-lab: --timeout 900 --host-major 2
# all: smp --smp
. lib.sh
params=/sys/module/pvpmu_kvm/parameters

said() { cat "/run/lab/$1/ctl"; }
# shellcheck source=tests/lab/guest/follow-lib.sh
. follow-lib.sh

lab-guest start a --tiny -- sh -c "$follow_guest"
lab-guest await a up
sleep 2
ask a report r0
# shellcheck disable=SC2086
moves "at home" r0 $all
at_most "at home: ms that the task did not count" "$(lost task r0)" 20
at_most "at home: instructions missing" $missing $((3 * chunk))

stage "live, while it counts"
lab-guest migrate a b
sleep 3
ask b report r1
# shellcheck disable=SC2086
moves "live" r1 $all
check "live: the loss is told: $(lost cpu r1) ms" [ "$(lost cpu r1)" -gt 0 ]
ask b report r2
moves "after it" r2 task cpu
at_most "after it: ms that the task did not count" "$(lost task r2)" 20

stage "a page copied in the middle of a write"
lab-guest monitor b stop
is "areas spoiled" "$(oddpage "$(lab-guest pid b)")" 1
lab-guest migrate b d
lab-guest monitor d cont
sleep 3
ask d report r4
# shellcheck disable=SC2086
moves "odd page" r4 $all

stage "to a host with fewer events and lower limits"
lab-guest monitor d stop
echo basic >$params/classes
echo 2 >$params/slots_vcpu
lab-guest migrate d e
lab-guest monitor e cont
sleep 4
ask e report r5 >/dev/null
sleep 3
ask e report r6
counting=0
for e in $all; do
	[ "$(field "$e" still r6)" -gt $limit ] || counting=$((counting + 1))
done
check "fewer: $counting of 4 events count" [ $counting -ge 1 -a $counting -le 3 ]
none_invented "fewer" r6
stands "fewer" r6 cache
ask e log l1
check "fewer: the log tells" grep -q 'host refused an event (-301[15])' /tmp/l1
echo basic,cache,hypervisor >$params/classes
echo 30 >$params/slots_vcpu
sleep 3
ask e report r7 >/dev/null
sleep 2
ask e report r8
# shellcheck disable=SC2086
moves "as many again" r8 $all

stage "to a host of another version"
lab-guest monitor e stop
unload_host
insmod /lab/modules/pvpmu_kvm-v2.ko
lab-guest migrate e f
lab-guest monitor f cont
sleep 4
ask f report r9
# shellcheck disable=SC2086
stands "another version" r9 $all
ask f log l2
check "another version: the log tells" grep -q 'not of version 1' /tmp/l2
unload_host
load_host
sleep 4
ask f report r10 >/dev/null
sleep 2
ask f report r11
# shellcheck disable=SC2086
moves "version 1 again" r11 $all

stage "to a host without"
lab-guest monitor f stop
unload_host
lab-guest migrate f g
lab-guest monitor g cont
sleep 4
ask g report r12
# shellcheck disable=SC2086
stands "without" r12 $all
ask g log l3
check "without: the log tells" grep -q 'let go of our events' /tmp/l3
load_host
sleep 4
ask g report r13 >/dev/null
sleep 2
ask g report r14
# shellcheck disable=SC2086
moves "with it again" r14 $all

lab-guest tell g end
lab-guest wait g
is "status of the guest" $? 0

stage "perf record -a in a guest that makes no call by itself, then perf stat"
lab-guest start p -- sh -c "
	workload busy 100000 & w=\$!
	$samples_take
	sleep 3
	lab-mark recording
	lab-await
	$samples_tell
	perf stat -I 500 -e instructions:u -o /tmp/stat -p \$w & s=\$!
	sleep 3
	lab-mark counting
	lab-await
	kill -INT \$s
	wait \$s
	sed -n 's/.*instructions:u/stat &/p' /tmp/stat >/dev/ttyS2
	kill \$w"
lab-guest await p recording
lab-guest migrate p q
sleep 4
lab-guest tell q go
lab-guest await q counting
lab-guest migrate q r
sleep 4
lab-guest tell r go
lab-guest wait r
is "status of the guest" $? 0
said r | sed -n 's/^stat //p' | tail -n 30 >/tmp/stat
tail -n 3 /tmp/stat
awk '{ gsub(",", "") } $2 + 0 > 0 { n++ } END { exit n < NR - 5 || NR < 5 }' /tmp/stat
is "perf stat: $(wc -l </tmp/stat) intervals, nearly all count" $? 0
tail -n 3 /tmp/stat | awk '{ gsub(",", "") } $2 + 0 > 0 { n++ } END { exit n < 3 }'
is "perf stat: the last intervals count" $? 0
samples_judge "live" q
end
