#!/bin/sh
# A guest whose kernel ends, by kexec, by a crash with a crash kernel, by a
# panic, while its events count and sample: what comes after it, in the same
# memory and on the same CPUs, is not written to.
# all: smp --smp
. lib.sh
stats=/sys/kernel/debug/pvpmu_kvm/stats
stat() { sed -n "s/^$1 //p" $stats; }

# counting LETTER [OPTION]...: a guest with two CPUs, both with events
counting() {
	guest=$1
	shift
	lab-guest start "$guest" --tiny --smp 2 --append "panic=0 crashkernel=16M $append" "$@" -- sh -c '
		taskset 1 workload hold 100000 &
		taskset 2 workload hold 100000 &
		sleep 0.5
		lab-mark up
		eval "$(lab-await)"'
	lab-guest await "$guest" up
	is "areas before" "$(stat live_areas)" 2
}

# over WHAT AREAS: at most so many are left; while the CPU executes something else
over() {
	at_most "areas after $1" "$(stat live_areas)" "$2"
	calls=$(stat calls) overflows=$(stat overflows)
	sleep 2
	is "calls after that" $(($(stat calls) - calls)) 0
	is "overflows after that" $(($(stat overflows) - overflows)) 0
	lab-guest kill "$guest"
}

append=
counting a
lab-guest tell a "nextkernel run"
lab-guest await a next
over "a kexec" 0

counting b
lab-guest tell b "nextkernel crash && echo c >/proc/sysrq-trigger"
lab-guest await b next
over "a crash" 0
forget_panic $guest

# notifiers first, as administrators may have it
append=crash_kexec_post_notifiers
counting c
lab-guest tell c "nextkernel crash && echo c >/proc/sysrq-trigger"
lab-guest await c next
over "a crash with notifiers" 0
forget_panic $guest

# Nothing comes after it.  A CPU that is stopped keeps its area, and counts
# nothing there.
append=
counting d
lab-guest tell d "echo c >/proc/sysrq-trigger"
at_rest() { [ "$(stat live_areas)" -gt 1 ] || echo yes; }
comes_to "a panic: its CPUs rest" yes at_rest
over "a panic" 1
forget_panic $guest

comes_to "areas left" 0 stat live_areas
comes_to "perf events left" 0 stat live_events
end
