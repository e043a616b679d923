#!/bin/sh
# Twelve events on six counters, groups that do not fit beside each other, and
# shares whatever the guest does.
# xen-lab: --cpus 1
. lib.sh
for type in pvh pv; do
	echo "in a $type guest:"
	lab-guest run a --type $type --tiny -- turns --deterministic
	is "all of it in a $type guest" $? 0
	lab-guest run b --type $type -- shares.sh $type
	is "the shares in a $type guest" $? 0
done
end
