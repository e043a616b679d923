#!/bin/sh
# Counts that are not complete say by how much: the host takes some of the
# counters, all of them for part of the time, or all of them, while a guest
# counts.  The truth is what the host's own perf says of the vCPU's thread.  In
# the end, what a guest reads from KVM's own vPMU instead.
# kvm-lab: --cpus 1
. lib.sh
loop=400000000
# after a counter is free, perf gives it away with the next turn
echo 1 >/sys/bus/event_source/devices/cpu/perf_event_mux_interval_ms

serve_start a

# judge CASE SHARE [WHOLE] <LINES OF honest: all ran for SHARE, or those that counted
# the whole loop for WHOLE; scaled they are right
judge() {
	lines=0
	while read -r reader ran scaled; do
		lines=$((lines + 1))
		case $reader in
		cpu | inherited) near "$1, $reader: ran" "$ran" "${3:-$2}" ;;
		*) near "$1, $reader: ran" "$ran" "$2" ;;
		esac
		near "$1, $reader: scaled count" "$scaled" 100
	done
}

stat="perf stat -x, -e instructions:u"

stage "nothing taken"
ask "honest all $loop" >/tmp/honest
judge "all free" 100 </tmp/honest
is "all readers" "$lines" 6
is "a pinned event counts" "$(ask "honest pinned $loop" | cut -d . -f 1)" "pinned 100"

stage "all of them for half of the time"
hold 0 6 6000 6000
ask "honest all $loop" >/tmp/honest
line=$(ask "$stat workload spin $loop")
pinned=$(ask "honest pinned $loop")
release
judge "half of the time" "$(share)" </tmp/honest
is "all readers" "$lines" 6
near "perf stat: percentage" "$(field 5 "$line")" "$(share)"
near "perf stat: scaled count" "$(field 1 "$line")" $loop
is "a pinned event goes to error" "$pinned" "pinned error 0"

stage "all of them for half of the time, half of the CPU for another vCPU"
lab-guest start rival --tiny --no-module -- workload busy 100000
lab-guest ready rival
# waited: how long the vCPU's thread ran, and how long it waited for a CPU, in ns
waited() { cut -d ' ' -f 1,2 "/proc/$(lab-guest pid a)/task/$(vcpu_thread a)/schedstat"; }
hold 0 6 7000 7000
before=$(waited)
# Longer: turns of counters and turns of vCPUs meet by chance, and so differently in
# each half.
ask "honest all $((4 * loop)) quarter" >/tmp/honest &
for when in begin half end; do
	lab-guest await a quarter-$when 600
	note_share
done
wait $!
stolen=$(echo "$before $(waited)" | awk '
	{ printf "%.0f\n", 100 * ($4 - $2) / ($3 - $1 + $4 - $2) }')
release
lab-guest kill rival
check "the other vCPU has its half: $stolen% are stolen" \
	[ "$stolen" -ge 40 -a "$stolen" -le 60 ]
check "the counters are there for half of the rest: $(share)%" \
	awk "BEGIN { exit !($(share) > 40 && $(share) < 60) }"
judge "half of half" "$(share_between 1 2)" "$(share_between 1 3)" </tmp/honest
is "all readers" "$lines" 6

stage "four of six"
hold 0 4
ask "honest six $loop" >/tmp/honest
ask "honest grouped $loop" >/tmp/grouped
release
cat /tmp/honest /tmp/grouped
near "six events on two counters: percentages" \
	"$(awk '{ sum += $2 } END { print sum }' /tmp/honest)" 200
while read -r reader _ scaled; do
	near "four taken, $reader: scaled count" "$scaled" 100
done </tmp/honest
while read -r _ ran scaled; do
	near "four taken, a group of six: the leader ran" "$ran" 33.3
	near "four taken, a group of six: scaled count" "$scaled" 100
done </tmp/grouped
is "four taken: counts of a group" "$(wc -l </tmp/grouped)" 6

stage "all of them"
hold 0 6
line=$(ask "$stat workload spin $loop")
is "all taken, perf stat" "$(field 1 "$line")" "<not counted>"
line=$(ask "${stat}D workload spin $loop")
is "all taken, perf stat of a pinned event" "$(field 1 "$line")" "<not counted>"
ask "honest all $loop" >/tmp/honest
is "all taken: readers that ran for no time" "$(grep -c ' 0.00 0.00' /tmp/honest)" 6
is "all taken, a pinned event" "$(ask "honest pinned $loop")" "pinned error 0"
ask "rdpmc starved"
release
stage "all free again"
ask rdpmc
near "free again" "$(field 1 "$(ask "$stat workload spin $loop")")" $loop
serve_end

stage "KVM's own vPMU"
unload_host
# shellcheck disable=SC2046 # a list
rmmod $(sed '1!G;h;$!d' /modules/kvm.order)
for m in $(cat /modules/kvm.order); do
	insmod "/modules/$m"
done
serve_start v --no-module
hold 0 6 6000 6000
ask "honest all $loop" >/tmp/honest
release
echo "half of the time, in truth $(share)%: reader, ran for, scaled count (all in %)"
cat /tmp/honest
hold 0 6
line=$(ask "$stat workload spin 20000000")
release
echo "all taken, perf stat of 20000000: $line"
serve_end
end
