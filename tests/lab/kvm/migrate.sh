#!/bin/sh
# Live migration, QEMU to QEMU, while the guest counts and samples: nothing goes
# back, nothing stands still for long, what is lost is told.  Then to hosts that
# are not as the one before.
# kvm-lab: --timeout 900 --host-major 2
. lib.sh
params=/sys/module/pvpmu_kvm/parameters

# ms that nothing may move for, and that may be lost; the driver promises 1500
limit=2500
# instructions of one round of the guest's loop, after which it looks at the clock
chunk=200000

lab-guest start a --tiny -- sh -c '
	follow >/tmp/follow & f=$!
	lab-mark up
	while set -- $(lab-await); do
		case $1 in
		report)
			: >/tmp/follow
			kill -USR1 $f
			until [ "$(wc -l </tmp/follow)" = 4 ]; do sleep 0.1; done
			sed "s/^/$2 /" /tmp/follow >/dev/ttyS2
			;;
		log) dmesg | grep pvpmu: | tail -n 6 | sed "s/^/$2 /" >/dev/ttyS2 ;;
		end) break ;;
		esac
		lab-mark "$2"
	done
	kill $f'

# has guest $1 do $2; leaves its lines in /tmp/$3
ask() {
	lab-guest tell "$1" "$2 $3"
	lab-guest await "$1" "$3"
	sed -n "s/^$3 //p" "/run/lab/$1/ctl" | tee "/tmp/$3"
}

# field EVENT NAME FILE: one of the numbers that follow tells
field() { sed -n "s/^follow $1 .*$2 \([0-9]*\).*/\1/p" "/tmp/$3"; }

# ms that the event was enabled and did not run
lost() { echo $((($(field "$1" enabled "$2") - $(field "$1" running "$2")) / 1000000)); }

# none_invented STAGE FILE: the task did not count more than it executed, which is
# a few instructions a round more than it knows
none_invented() {
	truth=$(field task truth "$2")
	missing=$((truth - $(field task value "$2")))
	check "$1: $missing instructions of $truth are missing, none too many" \
		[ $missing -ge -$((3 * chunk + truth / chunk * 20)) ]
	check "$1: what the task misses is told: $(lost task "$2") ms" \
		[ $missing -le $((3 * chunk)) -o "$(lost task "$2")" -gt 0 ]
}

# moves STAGE FILE EVENT...: they count, and say what they lost
moves() {
	what=$1 file=$2
	shift 2
	none_invented "$what" "$file"
	for e; do
		is "$what: $e: times that something went back" "$(field "$e" back "$file")" 0
		at_most "$what: $e: ms without movement" "$(field "$e" still "$file")" $limit
		at_most "$what: $e: ms not counted" "$(lost "$e" "$file")" $limit
		check "$what: $e: counts" [ "$(field "$e" value "$file")" -gt 0 ]
	done
}

# stands STAGE FILE EVENT...: the host does not count them, and they say so
stands() {
	what=$1 file=$2
	shift 2
	for e; do
		is "$what: $e: times that something went back" "$(field "$e" back "$file")" 0
		check "$what: $e: says that it did not run" \
			[ "$(lost "$e" "$file")" -ge 1000 ]
	done
}

all='task cpu cache samples'

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

stage "perf stat and perf record, no calls but the driver's"
lab-guest start p -- sh -c '
	workload busy 100000 & w=$!
	perf stat -I 500 -e instructions:u -o /tmp/stat -p $w & s=$!
	perf record -q -a -e cycles -c 50000000 -o /tmp/record & r=$!
	sleep 3
	lab-mark up
	lab-await
	now=$(cut -d " " -f 1 /proc/uptime)
	kill -INT $s $r
	wait $s $r
	grep instructions:u /tmp/stat | sed "s/^/stat /" >/dev/ttyS2
	perf script -i /tmp/record -F time 2>/dev/null | tr -d : |
		awk -v now="$now" "
			NR > 1 && \$1 - last > gap { gap = \$1 - last }
			{ last = \$1 }
			END { printf \"samples %d gap %d late %d\n\", NR, gap * 1000, (now - last) * 1000 }" >/dev/ttyS2
	kill $w
	lab-mark done'
lab-guest await p up
lab-guest migrate p q
sleep 4
lab-guest tell q go
lab-guest wait q
is "status of the guest" $? 0
sed -n 's/^stat //p' /run/lab/q/ctl | tail -n 30 >/tmp/stat
sed -n 's/^samples/samples/p' /run/lab/q/ctl >/tmp/samples
tail -n 3 /tmp/stat
awk '{ gsub(",", "") } $2 + 0 > 0 { n++ } END { exit n < NR - 5 || NR < 5 }' /tmp/stat
is "perf stat: $(wc -l </tmp/stat) intervals, nearly all count" $? 0
tail -n 3 /tmp/stat | awk '{ gsub(",", "") } $2 + 0 > 0 { n++ } END { exit n < 3 }'
is "perf stat: the last intervals count" $? 0
# shellcheck disable=SC2046 # samples N gap N late N
set -- $(cat /tmp/samples)
check "perf record: $2 samples" [ "$2" -ge 50 ]
at_most "perf record: largest gap in ms" "$4" $limit
at_most "perf record: ms since the last" "$6" $limit
end
