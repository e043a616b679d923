#!/bin/sh
# Small kernels, 64 and 32 bit, in PV and in PVH: every operation answers alike
# and shows the same layout; frames that are not a guest's own are refused.
# xen-lab: --kernels --no-guest-module
. lib.sh
kinds='pvh-64 pvh-32 pv-64 pv-32'
# run NAME COMMAND: in a kernel of each kind
run() {
	lab-guest run "$1" --type "${1%-*}" --kernel "/lab/kernels/kernel${1#*-}" --mem 16 -- "$2" >"/tmp/$1.txt"
	rc=$?
	sed "s/^\(PASS\|FAIL\) /&$1: $2: /" "/tmp/$1.txt"
	is "$1: all of $2" $rc 0
}
alike() { grep -v '^PASS own: ' "/tmp/$1.txt" | cmp - /tmp/all.txt; }
for kind in $kinds; do
	run $kind calls
	[ $kind != pvh-64 ] || grep -v '^PASS own: ' /tmp/$kind.txt >/tmp/all.txt
	check "$kind: answers and layout are the same" alike $kind
done
for kind in $kinds; do
	run $kind frames
done
end
