#!/bin/sh
# Small kernels, 64 and 32 bit, in PV and in PVH: every operation answers alike
# and shows the same layout; frames that are not a guest's own are refused.
# xen-lab: --kernels --no-guest-module
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
kinds='pvh-64 pvh-32 pv-64 pv-32'
# show KIND COMMAND STATUS
show() {
	sed "s/^\(PASS\|FAIL\) /&$1: $2: /" "/tmp/$1.txt"
	is "$1: all of $2" "$3" 0
}
run() { # KIND COMMAND
	kernel run "$1" "$1" "$2" >"/tmp/$1.txt"
	show "$1" "$2" $?
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
# memory that a device model made read-only, or its own
for type in ro mmio; do
	kernel start pvh-64 pvh-64 typed
	lab-guest await pvh-64 up
	/lab/kernels/memtype "$(xl domid pvh-64)" "$(told pvh-64 frame)" $type
	is "a page is made $type" $? 0
	lab-guest tell pvh-64 0
	lab-guest wait pvh-64
	rc=$?
	lab-guest out pvh-64 >/tmp/pvh-64.txt
	show pvh-64 "$type" $rc
done
# pages of a guest that another one granted to it
for kind in $kinds; do
	kernel start $kind $kind granted
	lab-guest await $kind up
	kernel start owner ${kind%-*}-64 "grant $(xl domid $kind)"
	lab-guest await owner up
	lab-guest tell $kind "$(xl domid owner)"
	[ ${kind%-*} != pv ] || lab-guest tell $kind "$(told owner frame)"
	lab-guest wait $kind
	rc=$?
	lab-guest out $kind >/tmp/$kind.txt
	show $kind granted $rc
	lab-guest tell owner 0
	lab-guest wait owner
	is "$kind: its owner uses it itself" $? 0
done
end
