#!/bin/sh
# Others are on the functions that the module hooks, at the same time: a kretprobe and
# function_graph on each, under a guest that counts.  ftrace cannot be switched off
# under the module, nor the module be loaded while it is off.
# kvm-lab: --timeout 1800
. lib.sh
tracing=/sys/kernel/tracing
ftrace=/proc/sys/kernel/ftrace_enabled

hooked() {
	awk '/direct-->pk_hook/ { print name } { name = $1 }
		/direct-->pk_hook/ && $1 !~ /direct/ { print $1 }' \
		$tracing/enabled_functions | sort -u
}

count() {
	lab-guest run a --tiny -- workload count 1000000 3
	is "$1: the guest counts" $? 0
}

functions=$(hooked)
n=$(echo "$functions" | grep -c .)
check "hooked functions: $n" [ "$n" -ge 9 ]

for f in $functions; do
	echo "r:pvpmu_$f $f" >>$tracing/kprobe_events
done
is "kretprobes on them" "$(grep -c pvpmu_ $tracing/kprobe_events)" "$n"
echo 1 >$tracing/events/kprobes/enable
count "kretprobes"
check "kretprobes: a hypercall returned" \
	grep -q 'pvpmu_kvm_emulate_hypercall: ' $tracing/trace

echo "$functions" >$tracing/set_ftrace_filter
echo function_graph >$tracing/current_tracer
is "function_graph" "$(cat $tracing/current_tracer)" function_graph
count "kretprobes and function_graph"
check "function_graph: it saw a hypercall" grep -q 'kvm_emulate_hypercall()' $tracing/trace

unload_host
is "the module goes meanwhile" $? 0
is "nothing is hooked" "$(hooked)" ''
load_host
is "and comes back" $? 0
is "the same functions are hooked" "$(hooked)" "$functions"
count "loaded under both"

echo nop >$tracing/current_tracer
echo 0 >$tracing/events/kprobes/enable
echo >$tracing/kprobe_events
echo >$tracing/set_ftrace_filter

check "ftrace cannot be switched off under the module" \
	sh -c "! echo 0 >$ftrace" 2>/dev/null
is "it is on" "$(cat $ftrace)" 1
count "after the attempt"
unload_host
echo 0 >$ftrace
is "without the module it can" "$(cat $ftrace)" 0
load_host 2>/dev/null
check "the module is refused meanwhile" [ ! -e /sys/module/pvpmu_kvm ]
check "and says which function" sh -c "dmesg | grep -q 'pvpmu: cannot hook'"
echo 1 >$ftrace
load_host
is "on again, it loads" $? 0
count "at the end"
end
