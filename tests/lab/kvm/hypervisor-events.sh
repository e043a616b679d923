#!/bin/sh
# Exits, halts, preemptions and steal as a guest counts them, against the host's
# own tracepoints, of the same moments: from the call that starts the events to
# the one that ends them.
# kvm-lab: --cpus 1
. lib.sh
t=/sys/kernel/tracing
lab-guest start a --tiny -- sh -c 'lab-await >/dev/null; hv'
lab-guest ready a
vcpu=$(vcpu_thread a)
workload busy 100000 &
busy=$!

echo 16384 >$t/buffer_size_kb
echo "$vcpu" >$t/set_event_pid
for e in kvm/kvm_exit kvm/kvm_hypercall sched/sched_switch sched/sched_wakeup; do
	echo 1 >$t/events/$e/enable
done
lab-guest tell a go
lab-guest wait a
is "the guest's program" $? 0
echo 0 >$t/tracing_on
kill $busy
lab-guest out a >/tmp/guest
cp $t/trace /run/lab/trace
check "no event of the trace is lost" \
	grep -q 'entries-written: \([0-9]*\)/\1 ' $t/trace

# between the first UPDATE and the last one
update='kvm_hypercall: nr 0x70766d70 a0 0x50560008'
first=$(grep -n "$update" /run/lab/trace | head -n 1 | cut -d : -f 1)
last=$(grep -n "$update" /run/lab/trace | tail -n 1 | cut -d : -f 1)
check "two calls, lines $first and $last" [ "${first:-0}" -lt "${last:-0}" ]
sed -n "$((first + 1)),${last}p" /run/lab/trace | awk -v vcpu="$vcpu" '
	{
		match($0, /[0-9]+\.[0-9]+: /)
		now = substr($0, RSTART, RLENGTH - 2)
	}
	/: kvm_exit: / {
		match($0, /reason [^ ]*/)
		reason = substr($0, RSTART + 7, RLENGTH - 7)
		exits++
		if (reason ~ /^(interrupt|nmi|smi|vintr|iret|avic_.*)$/)
			kind["interrupt"]++
		else if (reason ~ /^(hlt|pause|mwait|mwait_cond)$/)
			kind["idle"]++
		else if (reason == "io")
			kind["io"]++
		else if (reason == "npf")
			kind["memory"]++
		else if (reason == "hypercall")
			kind["hypercall"]++
		else if (reason ~ /^(cpuid|msr|rdtsc|rdtscp|rdpmc|rdpru|invd|wbinvd|invlpg|invpcid|monitor|xsetbv|(read|write)_[cd]r[0-9]+|cr0_sel_write)$/)
			kind["instruction"]++
		else
			kind["other"]++
		if (reason == "hlt")
			halts++
	}
	/: sched_switch: / && $0 ~ "prev_pid=" vcpu " " {
		if (/prev_state=R/) {
			preemptions++
			since = now
		} else {
			since = 0
		}
	}
	/: sched_wakeup: / && $0 ~ "pid=" vcpu " " { since = now }
	/: sched_switch: / && $0 ~ "next_pid=" vcpu " " {
		steal += now - since
	}
	END {
		print "exits", exits + 0
		print "halts", halts + 0
		print "preemptions", preemptions + 0
		printf "steal %.0f\n", steal * 1e9
		n = split("interrupt idle io memory instruction hypercall other", names)
		for (i = 1; i <= n; i++)
			print names[i], kind[names[i]] + 0
	}' >/tmp/host
guest() { sed -n "s/^$1 //p" /tmp/guest; }
while read -r name count; do
	case $name in
	steal) near "$name in ns" "$(guest "$name")" "$count" ;;
	# one may be inside each of the two calls, on either side of the reading
	preemptions)
		off=$(($(guest "$name") - count))
		check "$name: $(guest "$name"), and $count on the host" \
			[ ${off#-} -le 2 ]
		;;
	*) is "$name" "$(guest "$name")" "$count" ;;
	esac
	case $name in
	other) ;;
	*) check "there is something of $name" [ "$count" -gt 0 ] ;;
	esac
done </tmp/host
end
