#!/bin/sh
# All guest tests many times in one guest, then in guests that come and go: nothing
# wears out, nothing is left.
# when: all
# kvm-lab: --timeout 7200
. lib.sh
stats=/sys/kernel/debug/pvpmu_kvm/stats
live() { sed -n 's/^live_\([a-z]*\) \(.*\)/\1=\2/p' $stats | tr '\n' ' '; }

# all_tests N: the tests that failed in N rounds
all_tests() {
	lab-guest run a --smp 2 -- sh -c "
		for i in \$(seq $1); do guest-tests --deterministic; done" >/tmp/a
	is "status of $1 rounds" $? 0
	is "rounds that ended" "$(grep -c '^guest-tests: ' /tmp/a)" "$1"
	is "tests that failed in them" "$(grep -c '^FAIL ' /tmp/a)" 0
	grep '^FAIL ' /tmp/a | sed 's/^/     /'
	comes_to "nothing left" "vms=0 vcpus=0 areas=0 events=0 " live
}
all_tests 10
for _ in 1 2 3 4 5; do
	all_tests 1
done
unload_host
is "the module unloads" $? 0
end
