#!/bin/sh
# Live migration to this very machine, while the guest counts and perf records:
# nothing goes back, nothing stands still for long; a guest that comes where
# pvpmu is switched off says so, and counts again when it is switched on.
# all: smp --smp
. lib.sh
said() { lab-guest out "$1"; }
# shellcheck source=tests/lab/guest/follow-lib.sh
. follow-lib.sh
# stricter than on KVM: the guest knows that it goes, and when it has come
limit=2000

for type in pvh pv; do
	stage "a $type guest"
	a=$type-a b=$type-b c=$type-c
	lab-guest start $a --type $type --mem 384 -- sh -c "
		$samples_take
		$follow_guest
		$samples_tell"
	lab-guest await $a up
	sleep 2
	ask $a report r0
	# shellcheck disable=SC2086
	moves "$type: at home" r0 $all

	lab-guest migrate $a $b
	sleep 3
	ask $b report r1
	# shellcheck disable=SC2086
	moves "$type: live" r1 $all
	ask $b report r2
	# shellcheck disable=SC2086
	moves "$type: after it" r2 task cpu
	check "$type: after it: samples" [ "$(field samples samples r2)" -gt 0 ]

	stage "to where it is off"
	pvpmuctl off all
	pvpmuctl on "$(xl domid $b)"
	sleep 3
	ask $b log l0
	lab-guest migrate $b $c
	sleep 3
	ask $c report r3
	# shellcheck disable=SC2086
	stands "$type: off" r3 $all
	ask $c log l1
	check "$type: off: the log tells" grep -q 'let go of our events; they do not count' /tmp/l1
	pvpmuctl on all
	sleep 4
	ask $c report r4 >/dev/null
	sleep 2
	ask $c report r5
	# shellcheck disable=SC2086
	moves "$type: on again" r5 $all
	ask $c log l2
	check "$type: on again: the log tells" grep -q 'the host is back' /tmp/l2
	lab-guest tell $c end
	lab-guest wait $c
	is "$type: the guest ended well" $? 0
	check "$type: perf record took samples to its end: $(said $c | grep '^samples ')" \
		[ "$(said $c | sed -n 's/^samples .* late //p')" -le $limit ]
done
end
