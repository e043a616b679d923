#!/bin/sh
# Twelve events on six counters.
. lib.sh
for type in pvh pv; do
	echo "in a $type guest:"
	lab-guest run a --type $type --tiny -- turns
	is "all of it in a $type guest" $? 0
done
end
