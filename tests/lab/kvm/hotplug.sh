#!/bin/sh
# A guest whose CPU 1 goes and comes back, and which sleeps, under perf stat and
# perf record: its area goes with the CPU, what counted goes on.
. lib.sh
stats=/sys/kernel/debug/pvpmu_kvm
areas() { sed -n 's/^live_areas //p' $stats/stats; }
cpu1() { sed -n 's/.* vcpu 1 .*\(area [01] open [0-9]*\).*/\1/p' $stats/vcpus; }

# until_is N COMMAND...: within 20 seconds
until_is() {
	n=400 wanted=$1
	shift
	until [ "$("$@")" = "$wanted" ] || [ $n = 0 ]; do
		n=$((n - 1))
		sleep 0.05
	done
}

sysfs=/sys/devices/system/cpu/cpu1/online
# what wakes the guest: one more serial port
mkfifo /tmp/wake.in /tmp/wake.out
serve_start a --smp 2 --qemu "-chardev pipe,id=wake,path=/tmp/wake -device isa-serial,chardev=wake,index=3"
is "areas" "$(areas)" 2

stage "CPU 1 goes and comes"
for c in 'taskset 1 workload busy 10000 & busy=$!' \
	'perf stat -a -I 500 -e instructions -x, -o /tmp/stat & stat=$!' \
	'perf record -a -e instructions -c 1000003 -o /tmp/data >/dev/null 2>&1 & record=$!' \
	'until grep -q instructions /tmp/stat 2>/dev/null; do sleep 0.1; done'; do
	ask "$c"
done
gone=0 back=0
for _ in 1 2 3 4 5; do
	[ "$(ask "echo 0 >$sysfs; cat $sysfs")" = 0 ] && [ "$(cpu1)" = "area 0 open 0" ] &&
		[ "$(areas)" = 1 ] && gone=$((gone + 1))
	[ "$(ask "echo 1 >$sysfs; cat $sysfs")" = 1 ] && [ "$(areas)" = 2 ] &&
		back=$((back + 1))
done
is "times that its area went" $gone 5
is "times that it came back" $back 5

# perf itself ends what it counted on a CPU that goes, so CPU 0 is judged
ask 'until=$(($(wc -l </tmp/stat) + 4)); until [ "$(wc -l </tmp/stat)" -ge $until ]; do sleep 0.1; done'
n=$(ask 'tail -n 3 /tmp/stat' | awk -F, '$2 > 1000000 { n++ } END { print n + 0 }')
is "intervals that count after it" "$n" 3
ask 'kill -INT $stat $record; wait $stat $record; kill $busy; wait $busy'
n=$(ask 'perf script -i /tmp/data -F cpu,period | grep -c 000]')
check "perf record has $n samples of CPU 0" [ "$n" -ge 10 ]

ask 'taskset 2 workload count 1000000 3; echo "status $?"' | tail -n 1 >/tmp/answer
is "three counts on CPU 1" "$(cat /tmp/answer)" "status 0"
n=$(field 1 "$(ask 'perf stat -C 1 -x, -e instructions:u taskset 2 workload spin 10000000 2>&1')")
check "perf stat of all that CPU 1 does: $n" [ "$n" -ge 10000000 ]
# its LVTPC was reset with it
ask 'taskset 2 perf record -e instructions:u -c 100000 -o /tmp/data workload spin 10000000 >/dev/null 2>&1'
n=$(ask 'perf script -i /tmp/data -F period' | awk '{ sum += $1 } END { print int(sum / 100000) }')
check "samples on CPU 1: $n of 100 periods" [ "$n" -ge 80 -a "$n" -le 101 ]

stage "sleep"
# begin_count: of a loop that takes some seconds
begin_count() {
	ask 'perf stat -e instructions:u -x, -o /tmp/count workload spin 400000000 & count=$!'
	ask 'sleep 0.3'
}

end_count() {
	line=$(ask 'wait $count; grep instructions /tmp/count')
	n=$(field 1 "$line")
	check "counted over it: $n" [ "$n" -ge 400000000 -a "$n" -le 400100000 ]
}

# asleep COMMAND: begins to sleep
asleep() {
	ask "$1; echo status \$?" >/tmp/slept &
	asleep=$!
}

awake() {
	wait $asleep
	is "it slept" "$(tail -n 1 /tmp/slept)" "status 0"
	end_count
}

begin_count
ask 'exec 9</dev/ttyS3; echo enabled >/sys/class/tty/ttyS3/power/wakeup'
# what comes too early keeps it from sleeping, or does nothing at all
asleep 'until echo freeze >/sys/power/state; do :; done'
while sleep 2 && kill -0 $asleep 2>/dev/null; do
	echo >/tmp/wake.in
done
awake
is "areas after it" "$(areas)" 2

# as far as the moment at which all memory would be written to disk
begin_count
ask 'echo 2 >/sys/module/suspend/parameters/pm_test_delay; echo core >/sys/power/pm_test'
asleep 'echo disk >/sys/power/state'
until_is 0 areas
is "areas while no CPU runs" "$(areas)" 0
until_is 2 areas
is "areas when they do" "$(areas)" 2
awake
serve_end
is "areas left" "$(areas)" 0
end
