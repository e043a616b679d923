#!/bin/sh
# How many hypercalls perf costs, counted by the instrument in the guest, by
# KVM's tracepoint and by the module's statistics on the host.
. lib.sh
t=/sys/kernel/tracing/events/kvm/kvm_hypercall
stats=/sys/kernel/debug/pvpmu_kvm/stats

traced() { sed -n 's/^ *Hits: *//p' $t/hist; }
served() { sed -n 's/^calls //p' $stats; }

# Both counts of one moment: the guest may call between two reads, so they are
# repeated until no call was traced beside the module's count.
both_counts() { # sets traced_now, served_now
	for _ in $(seq 100); do
		traced_now=$(traced) served_now=$(served)
		[ "$(traced)" != "$traced_now" ] || return 0
	done
	echo "the guest called during each of 100 reads"
}

run() { # CASE N
	echo 'hist:keys=nr' >$t/trigger || return 1
	lab-guest start a --tiny -- hypercalls "$1" "$2"
	lab-guest await a begin
	both_counts
	traced0=$traced_now served0=$served_now
	lab-guest tell a go
	lab-guest await a end
	both_counts
	traced=$((traced_now - traced0)) served=$((served_now - served0))
	lab-guest tell a go
	lab-guest wait a
	echo '!hist:keys=nr' >$t/trigger
	# shellcheck disable=SC2046 # calls X switches Y samples Z
	set -- "$1" $(lab-guest out a)
	calls=$3 switches=$5 samples=$7
	echo "$1: $*; whole run: tracepoint $traced, module $served"
	if [ -z "$samples" ]; then
		fail "$1: no figures"
		return 1
	fi
	is "$1: tracepoint and module agree" "$served" "$traced"
}

run both 500 && {
	at_most "two tasks of 6 events: calls in $switches switches" "$calls" $((switches + switches / 50 + 5))
	check "two tasks of 6 events: there are calls" [ "$calls" -ge 900 ]
}
run one 500 &&
	at_most "the next task has none: calls in $switches switches" "$calls" $((switches + switches / 50 + 5))
# the kernel's own tasks come in between, and have no events
run cloned 500 &&
	at_most "cloned contexts: calls in $switches switches, 1000 between them" "$calls" $((switches - 1000 + 10))
run samples 200 && {
	check "sampling: $samples of 200 samples" [ "$samples" -ge 40 ]
	at_most "sampling: calls, with $switches switches" "$calls" $((switches + 10))
}
# the host's administrator traces the functions that the module hooks
tracing=/sys/kernel/tracing
echo 'kvm_emulate_hypercall kvm_cpuid kvm_pmu_deliver_pmi kvm_vcpu_halt' >$tracing/set_ftrace_filter
echo function >$tracing/current_tracer
run samples 200 && {
	check "traced: $samples of 200 samples" [ "$samples" -ge 40 ]
	check "traced: $calls calls, and the trace has them" \
		grep -q kvm_emulate_hypercall $tracing/trace
}
echo nop >$tracing/current_tracer
run stopped 1000 &&
	at_most "1000 reads of a stopped event: calls, with $switches switches" "$calls" $((switches + 5))
run nothing 200 &&
	is "nothing open: calls" "$calls" 0
end
