#!/bin/sh
# The administrator's command: what vCPUs do, limits and off and on, live.
. lib.sh
ctl=pvpmuctl
field() { # DOMAIN FIELD of its first vCPU
	$ctl list --json | sed -n "s/.*\"vm\": $1, \"vcpu\": 0, .*\"$2\": \([0-9a-z]*\).*/\1/p"
}
lab-guest start a --type pvh --tiny -- sh -c '
	workload hold 100000 & w=$!
	lab-mark up; lab-await >/dev/null
	kill $w; wait $w
	workload count 1000000 1 >/dev/null 2>&1; echo "small: $?"
	lab-mark small; lab-await >/dev/null
	workload count 1000000 1 >/dev/null 2>&1; echo "off: $?"
	lab-mark off; lab-await >/dev/null
	sleep 3
	workload count 1000000 3; echo "on: $?"'
lab-guest await a up
d=$(xl domid a)
$ctl list
is "open ids" "$(field "$d" open)" 6
check "overflows go on" [ "$(field "$d" overflows)" -gt 0 ]
check "dom0 is in the list" [ -n "$(field 0 calls)" ]
is "its rate" "$(field "$d" overflow_rate)" 50000
$ctl set "$d" overflow_rate=1000 slots_vcpu=7
is "the new rate" "$(field "$d" overflow_rate)" 1000
is "the other limits stay" "$(field "$d" slots_vm)" 1024
$ctl set "$d" nonsense=1 2>/dev/null
is "a limit that does not exist" $? 2
$ctl set 999 slots_vm=1 2>/dev/null
check "a domain that does not exist" [ $? != 0 ]
lab-guest tell a go
lab-guest await a small
$ctl off "$d"
is "off: open ids" "$(field "$d" open)" 0
is "off: its area" "$(field "$d" area)" false
lab-guest tell a go
lab-guest await a off
$ctl on "$d"
lab-guest tell a go
lab-guest wait a
lab-guest out a
check "counts within small limits" sh -c 'lab-guest out a | grep -q "^small: 0"'
check "counts nothing while it is off" sh -c 'lab-guest out a | grep -q "^off: [1-9]"'
check "counts again" sh -c 'lab-guest out a | grep -q "^on: 0"'
end
