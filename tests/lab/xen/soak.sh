#!/bin/sh
# All guest tests many times in guests that come and go: nothing wears out, nothing
# is left in the hypervisor.
# when: all
# xen-lab: --timeout 7200
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
before=$(totals)
for rounds in 5 1 1; do
	for type in pvh pv; do
		lab-guest run a --type $type --smp 2 -- sh -c "
			for i in \$(seq $rounds); do guest-tests --deterministic; done" >/tmp/a
		is "$type: status of $rounds rounds" $? 0
		is "$type: rounds that ended" "$(grep -c '^guest-tests: ' /tmp/a)" $rounds
		is "$type: tests that failed in them" "$(grep -c '^FAIL ' /tmp/a)" 0
		grep '^FAIL ' /tmp/a | sed 's/^/     /'
		comes_to "$type: nothing left" "$before" totals
	done
done
end
