#!/bin/sh
# The administrator's command: what vCPUs do, limits and off and on, live.
. lib.sh
parameters=/sys/module/pvpmu_kvm/parameters
field() { # FIELD of the only vCPU
	pvpmuctl list --json | sed -n "s/.*\"$1\": \([0-9a-z]*\).*/\1/p"
}
lab-guest start a --tiny -- sh -c '
	workload hold 100000 & w=$!
	lab-mark up; lab-await >/dev/null
	kill $w; wait $w
	workload count 1000000 1 >/dev/null 2>&1; echo "off: $?"
	lab-mark off; lab-await >/dev/null
	sleep 3
	workload count 1000000 3; echo "on: $?"'
lab-guest await a up
sleep 1
pvpmuctl list
is "open ids" "$(field open)" 6
is "it has its area" "$(field area)" true
check "it overflows" [ "$(field overflows)" -gt 0 ]
pvpmuctl set all overflow_rate=1000 classes=basic
is "the new rate" "$(cat $parameters/overflow_rate)" 1000
is "the new classes" "$(cat $parameters/classes)" basic
is "the other limits stay" "$(cat $parameters/slots_vm)" 1024
pvpmuctl set all nonsense=1 2>/dev/null
is "a limit that does not exist" $? 2
pvpmuctl set all period_min=0 2>/dev/null
is "a value that makes no sense" $? 1
pvpmuctl set 7 slots_vm=1 2>/dev/null
is "one VM alone" $? 2
pvpmuctl off all
is "off: open ids" "$(field open)" 0
is "off: its area" "$(field area)" false
lab-guest tell a go
lab-guest await a off
pvpmuctl on all
lab-guest tell a go
lab-guest wait a
lab-guest out a
check "counts nothing while it is off" sh -c 'lab-guest out a | grep -q "^off: [1-9]"'
check "counts again" sh -c 'lab-guest out a | grep -q "^on: 0"'
end
