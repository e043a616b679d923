#!/bin/sh
# Wrong calls get their documented errors and change nothing, in each kind of
# guest; frames that are not a guest's own, and counters, are out of its reach.
# xen-lab: --module tests/lab/guest/pvpmu_abitest
. lib.sh
for type in pvh pv; do
	echo "in a $type guest:"
	lab-guest run a --type $type --tiny --no-module -- abitest.sh
	is "all of it in a $type guest" $? 0
done
end
