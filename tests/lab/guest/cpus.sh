#!/bin/sh
# In a guest with two CPUs: the second goes and comes back while perf counts and
# samples all CPUs.
. lib.sh
sysfs=/sys/devices/system/cpu/cpu1/online
taskset 1 workload busy 10000 &
busy=$!
perf stat -a -I 500 -e instructions -x, -o /tmp/stat &
stat=$!
perf record -a -e instructions -c 1000003 -o /tmp/data >/dev/null 2>&1 &
record=$!
# both have opened their events when they write
until grep -q instructions /tmp/stat 2>/dev/null &&
	[ "$(wc -c </tmp/data)" -gt 10000 ]; do
	kill -0 $stat $record || break
	sleep 0.1
done
n=0
for _ in 1 2 3 4 5; do
	echo 0 >$sysfs && echo 1 >$sysfs && n=$((n + 1))
done
is "times that CPU 1 went and came" $n 5

# perf itself ends what it counted on a CPU that goes, so CPU 0 is judged
n=$(($(wc -l </tmp/stat) + 4))
until [ "$(wc -l </tmp/stat)" -ge $n ]; do
	sleep 0.1
done
n=$(tail -n 3 /tmp/stat | awk -F, '$2 + 0 > 1000000 { n++ } END { print n + 0 }')
is "intervals that count after it" "$n" 3
kill -INT $stat $record
wait $stat $record
kill $busy
n=$(perf script -i /tmp/data -F cpu,period | grep -c '000]')
check "perf record has $n samples of CPU 0" [ "$n" -ge 10 ]

taskset 2 workload count 1000000 3
is "status of three counts on CPU 1" $? 0
n=$(field 1 "$(perf stat -C 1 -x, -e instructions:u taskset 2 workload spin 10000000 2>&1)")
check "perf stat of all that CPU 1 does: $n" [ "$n" -ge 10000000 ]
# its interrupt was reset with it
taskset 2 perf record -e instructions:u -c 100000 -o /tmp/data workload spin 10000000 >/dev/null 2>&1
n=$(perf script -i /tmp/data -F period | awk '{ sum += $1 } END { print int(sum / 100000) }')
check "samples on CPU 1: $n of 100 periods" [ "$n" -ge 80 -a "$n" -le 101 ]
rm /tmp/data
end
