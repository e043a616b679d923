#!/bin/sh
# A PVH guest whose kernel ends by kexec, and by a crash with a crash kernel, while
# its events count: both ask Xen for a soft reset, after which nothing is left of the
# guest's, and nothing is counted or written to while the next kernel executes.
# xen-lab: --kernels
# all: smp --smp
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
before=$(totals)

# how often a next kernel said that it executes
next_kernels() { { cat /tmp/xen.log; xl dmesg; } | grep -c 'mark next'; }

# becomes WHAT COMMAND: a guest that counts, and then has COMMAND begin the next kernel
becomes() {
	stage "$1"
	lab-guest start a --type pvh --tiny --append "panic=0 crashkernel=16M" \
		--xl 'on_soft_reset = "preserve"' -- sh -c '
		workload hold 100000 &
		sleep 0.5
		lab-mark up
		eval "$(lab-await)"'
	lab-guest await a up
	comes_to "$1: areas before" 1 areas
	told=$(next_kernels)
	lab-guest tell a "$2"
	n=100
	until [ "$(xl list a | awk 'NR == 2 { print substr($5, 4, 1) }')" = s ] || [ $n = 0 ]; do
		n=$((n - 1))
		sleep 0.2
	done
	check "$1: the guest asks for a soft reset" [ $n -gt 0 ]
	/lab/kernels/softreset "$(xl domid a)"
	is "$1: soft reset" $? 0
	is "$1: after it" "$(totals | cut -d , -f 1,2)" "0 areas mapped, 0 counters running"
	xl unpause a
	n=100
	until [ "$(next_kernels)" != "$told" ] || [ $n = 0 ]; do
		n=$((n - 1))
		sleep 0.2
	done
	is "$1: next kernels" $(($(next_kernels) - told)) 1
	sleep 2
	is "$1: while it executes" "$(totals | cut -d , -f 1,2)" "0 areas mapped, 0 counters running"
	xl destroy a
	comes_to "$1: domains left" 1 domains
	comes_to "$1: after its end" "$before" totals
	lab-guest log a >/dev/null
	forget_panic a
}

becomes "a kexec" "nextkernel run"
becomes "a crash" "nextkernel crash && echo c >/proc/sysrq-trigger"
check "the hypervisor says nothing of it" sh -c \
	'! { cat /tmp/xen.log; xl dmesg; } | grep -i -E "assert|bug on|panic"'
end
