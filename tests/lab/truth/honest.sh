#!/bin/sh
# Counts that are not complete say by how much: the host takes some of the
# counters, all of them for part of the time, or all of them, while a guest
# counts.  The truth is what the host's own perf says of the vCPU's thread.
. lib.sh
loop=400000000
# after a counter is free, perf gives it away with the next turn
echo 1 >/sys/bus/event_source/devices/cpu/perf_event_mux_interval_ms

serve_start a

# judge CASE SHARE <LINES OF honest: all ran for SHARE, scaled they are right
judge() {
	lines=0
	while read -r reader ran scaled; do
		lines=$((lines + 1))
		near "$1, $reader: ran" "$ran" "$2"
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

stage "four of six"
hold 0 4
ask "honest six $loop" >/tmp/honest
release
cat /tmp/honest
near "six events on two counters: percentages" \
	"$(awk '{ sum += $2 } END { print sum }' /tmp/honest)" 200
while read -r reader _ scaled; do
	near "four taken, $reader: scaled count" "$scaled" 100
done </tmp/honest

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
end
