#!/bin/sh
# A machine without a PMU, as in most clouds: Xen says so, events of the CPU are
# refused, and guests are sampled by the clock of their vCPU.
# xen-lab: --no-pmu
. lib.sh
xl dmesg | grep pvpmu:
check "Xen says that it has no counters" sh -c \
	'xl dmesg | grep -q "pvpmu: on, without counters"'
for type in pvh pv; do
	lab-guest run a --type $type -- sh -c '
		perf stat -x, -e cycles,cpu/vcpu-clock/ workload spin 1000000 2>&1
		perf record -q -e cpu/vcpu-clock/ -c 4000000 -o /tmp/record workload busy 3
		perf script -i /tmp/record -F ip,sym 2>/dev/null |
			awk "{ n[\$2]++ } END { for (s in n) print \"sym\", n[s], s }" |
			sort -k 2 -n | tail -n 8' >/tmp/out
	is "$type: the guest ended well" $? 0
	cat /tmp/out
	check "$type: cycles are not supported" grep -q '^<not supported>,.*cycles' /tmp/out
	check "$type: the clock counts" grep -q '^[1-9].*vcpu-clock' /tmp/out
	# perf takes one or the other symbol for the same code
	n=$(awk '$1 == "sym" && ($3 == "loop" || $3 == "loop_begin") { n += $2 }
		END { print n + 0 }' /tmp/out)
	check "$type: a loop of the program is seen for what it is: $n samples" [ "$n" -ge 50 ]
done
end
