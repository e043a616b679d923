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

# settled BEFORE: what is left of a domain goes a moment after xl says that it is gone:
# waits until the totals are as they were BEFORE, ten seconds at most.
settled() {
	tries=0
	until now=$(totals); [ "$now" = "$1" ] || [ $tries = 20 ]; do
		tries=$((tries + 1))
		sleep 0.5
	done
	echo "$now"
}

# areas COUNT: waits for so many to be mapped, half a minute at most
areas() {
	tries=0
	until [ "$(totals | cut -d ' ' -f 1)" = "$1" ] || [ $tries = 60 ]; do
		tries=$((tries + 1))
		sleep 0.5
	done
	totals | cut -d ' ' -f 1
}

# waits until dom0 is alone, a minute at most; how many there are then
alone() {
	tries=0
	until [ "$(xl list | wc -l)" = 2 ] || [ $tries = 120 ]; do
		tries=$((tries + 1))
		sleep 0.5
	done
	xl list | tail -n +2 | wc -l
}

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
