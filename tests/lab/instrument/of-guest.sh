#!/bin/sh
# The instrument counts a KVM guest apart from its host: GuestOnly and HostOnly
# counters, with the stock kernels of both and no module of ours.
. lib.sh

# count EVENT: spin 20000000 instructions in the guest, count QEMU's threads
count() {
	lab-guest start g --tiny -- sh -c 'lab-mark up; lab-await; workload spin 20000000; lab-mark done; lab-await'
	lab-guest await g up
	perf stat -x, -o /tmp/stat -e "$1" -p "$(lab-guest pid g)" -- sh -c '
		lab-guest tell g go; lab-guest await g done'
	lab-guest tell g go
	lab-guest wait g
	sed -n 's/^\([0-9][0-9]*\),.*/\1/p' /tmp/stat
}

# in_range NAME LOW HIGH VALUE
in_range() {
	check "$1: $4" [ "${4:-0}" -ge "$2" -a "${4:-0}" -le "$3" ]
}

# beside the loop the guest's shell and the lab's scripts run a little
in_range "the guest's user instructions" 20000000 24000000 "$(count instructions:uG)"
in_range "the host's own user instructions have none of them" 100000 19000000 \
	"$(count instructions:uH)"

# sampling a guest: overflows of a GuestOnly counter interrupt the host
lab-guest start g --tiny -- sh -c 'lab-mark up; lab-await; workload spin 20000000; lab-mark done; lab-await'
lab-guest await g up
perf record -q -c 100000 -e instructions:uG -o /tmp/data -p "$(lab-guest pid g)" -- sh -c '
	lab-guest tell g go; lab-guest await g done'
lab-guest tell g go
lab-guest wait g
# perf's reports leave out what it cannot name: count the records
n=$(perf report -i /tmp/data --stats --stdio 2>/dev/null |
	sed -n 's/^ *SAMPLE events: *\([0-9]*\).*/\1/p' | head -n 1)
in_range "samples of 100000 instructions in 20000000" 190 240 "$n"

# FXRSTOR on one CPU wrote to the first one's state, in the middle of its VMRUN
taskset 2 workload fxrstor 100000 &
lab-guest run g --tiny --cpus 0 -- workload exits 3
is "a guest that leaves often, beside a CPU that executes FXRSTOR" $? 0
kill $!
end
