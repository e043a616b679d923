#!/bin/sh
# The host module goes while a guest samples: not one of the interrupts that
# belong to its counters is delivered by KVM, which knows nothing of them.
# kvm-lab: --timeout 1200
. lib.sh

# sampled NAME OPTION...: unloads and loads under a guest's perf record
sampled() {
	name=$1
	shift
	lab-guest start "$name" -- sh -c "
		sysctl -qw kernel.unknown_nmi_panic=0
		workload busy 100000 & w=\$!
		perf record $* -e instructions -o /tmp/data -p \$w >/dev/null 2>&1 & p=\$!
		until [ -s /tmp/data ]; do sleep 0.1; done
		lab-mark up; lab-await >/dev/null
		dmesg | grep -c 'unknown reason'
		kill -INT \$p; wait \$p
		kill \$w
		workload count 1000000 3 || exit 1"
	lab-guest await "$name" up
	n=0
	for _ in 1 2 3; do
		sleep 0.3
		unload_host && sleep 0.2 && load_host && n=$((n + 1))
	done
	is "$name: unloaded and loaded" $n 3
	sleep 2
	lab-guest tell "$name" go
	lab-guest wait "$name"
	is "$name: it counts afterwards" $? 0
	is "$name: interrupts that nobody knows" "$(lab-guest out "$name" | head -n 1)" 0
}

stage "a period"
sampled period -c 100000
stage "a frequency"
sampled frequency -F 2000
stage "the end"

# How long an administrator waits
lab-guest start b -- sh -c 'workload hold 100000 & lab-mark up; wait'
lab-guest await b up
now() { sed 's/\([0-9]*\)\.\([0-9]*\) .*/\1\2/' /proc/uptime; }
from=$(now)
unload_host
gone=$(now)
load_host
back=$(now)
lab-guest kill b
echo "unloading took $((gone - from)) hundredths of a second, loading $((back - gone))"
at_most "hundredths of a second to unload" $((gone - from)) 100
at_most "hundredths of a second to load" $((back - gone)) 100
end
