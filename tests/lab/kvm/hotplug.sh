#!/bin/sh
# A guest whose CPU 1 goes and comes back, which sleeps, and whose host's CPU 1
# goes and comes back: its area goes with its CPU, what counted goes on.
# all: smp --smp
. lib.sh
stats=/sys/kernel/debug/pvpmu_kvm
areas() { sed -n 's/^live_areas //p' $stats/stats; }
cpu1() { sed -n 's/.* vcpu 1 .*\(area [01] open [0-9]*\).*/\1/p' $stats/vcpus; }

sysfs=/sys/devices/system/cpu/cpu1/online
# what wakes the guest: one more serial port
mkfifo /tmp/wake.in /tmp/wake.out
serve_start a --smp 2 --mem 512M --qemu "-chardev pipe,id=wake,path=/tmp/wake -device isa-serial,chardev=wake,index=3"
is "areas" "$(areas)" 2

stage "CPU 1 of the guest goes and comes"
ask 'perf stat -a -e instructions,cycles -o /tmp/stat sleep 10000 & stat=$!'
comes_to "CPU 1" "area 1 open 2" cpu1
ask "echo 0 >$sysfs"
is "CPU 1 that is gone" "$(cpu1)" "area 0 open 0"
is "areas without it" "$(areas)" 1
ask "echo 1 >$sysfs"
is "CPU 1 that came back" "$(cpu1)" "area 1 open 0"
is "areas with it" "$(areas)" 2
ask 'kill $stat; wait $stat'
ask cpus.sh

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

# As far as the moment at which all memory would be written to disk: half of it
# must be free for that.
begin_count
ask 'echo 2 >/sys/module/suspend/parameters/pm_test_delay; echo core >/sys/power/pm_test'
asleep 'echo disk >/sys/power/state'
comes_to "areas while no CPU runs" 0 areas
comes_to "areas when they do" 2 areas
awake

stage "CPU 1 of the host goes and comes"
begin_count
for _ in 1 2; do
	echo 0 >$sysfs
	is "the host's CPU 1" "$(cat $sysfs)" 0
	sleep 0.2
	echo 1 >$sysfs
	is "the host's CPU 1" "$(cat $sysfs)" 1
done
end_count
serve_end
comes_to "areas left" 0 areas
end
