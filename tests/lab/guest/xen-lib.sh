# shellcheck shell=dash
# What tests in dom0 share; after lib.sh.

# Areas, counters and timers that Xen has, as the debug key tells.  Its log is a ring:
# what is taken out of it to find the answer is kept in /tmp/xen.log.
totals() {
	xl dmesg -c >>/tmp/xen.log
	xl debug-keys k
	until xl dmesg | grep -q 'pvpmu: .* areas'; do
		sleep 0.1
	done
	xl dmesg | sed -n 's/.*pvpmu: \([0-9]* areas.*\)/\1/p' | tail -n 1
}

# What is left of a domain goes a moment after xl says that it is gone, and xl may say
# that a moment after the command which ended it: comes_to waits for both.
areas() { totals | cut -d ' ' -f 1; }
domains() { xl list | tail -n +2 | wc -l; }

# kernel VERB NAME KIND COMMAND [OPTION]...: lab-guest VERB with a small kernel,
# KIND being its type and how many bits it has: pvh-64
kernel() {
	kernel_verb=$1 kernel_name=$2 kernel_type=${3%-*} kernel_bits=${3#*-} kernel_command=$4
	shift 4
	lab-guest "$kernel_verb" "$kernel_name" --type "$kernel_type" --mem 16 \
		--kernel "/lab/kernels/kernel$kernel_bits" "$@" -- "$kernel_command"
}

# told NAME WORD: what a small kernel says after @lab WORD
told() { tr -d '\r' <"/var/log/xen/console/guest-$1.log" | sed -n "s/^@lab $2 //p"; }
