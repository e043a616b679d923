#!/bin/sh
# A guest that is reset, or resets itself without a word to anyone, while its
# events count and sample: its host lets the area go at once, not only when the
# next kernel asks.
# all: smp --smp
. lib.sh
stats=/sys/kernel/debug/pvpmu_kvm/stats
areas() { sed -n 's/^live_areas //p' $stats; }

# how often the guest's kernel came up
ups() { grep -c '^mark up' /run/lab/a/ctl; }

until_up() {
	comes_to "the guest came up" "$1" ups
	is "areas" "$(areas)" 1
}

lab-guest start a --tiny --qemu "-action reboot=reset" -- sh -c '
	workload hold 100000 &
	sleep 0.5
	lab-mark up
	lab-await
	echo b >/proc/sysrq-trigger'
until_up 1
lab-guest monitor a stop
lab-guest monitor a system_reset
comes_to "areas after a reset, before the guest runs" 0 areas
lab-guest monitor a cont
until_up 2
lab-guest tell a go
comes_to "areas after the guest reset itself" 0 areas
until_up 3
lab-guest kill a
end
