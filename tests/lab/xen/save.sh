#!/bin/sh
# A guest is saved and restored under a perf session: it counts on, no total
# goes back, and the events open again by themselves.
# xen-lab: --dom0-mem 1400M --mem 4G
# all: smp --smp
. lib.sh
# shellcheck source=tests/lab/guest/xen-lib.sh
. xen-lib.sh
before=$(totals)
for type in pvh pv; do
	lab-guest start $type --type $type --mem 320 -- sh -c '
		workload busy 1000 & w=$!
		perf stat -x, -I 500 -o /tmp/stat -e instructions:u,cycles -p $w -- sleep 100000 & s=$!
		sleep 2
		lab-mark up; lab-await >/dev/null
		sleep 4
		kill -INT $s; wait $s
		echo "stat:"; cat /tmp/stat; echo ":stat"
		workload count 1000000 3; echo "count $?"
		kill $w'
	lab-guest await $type up
	xl save $type /tmp/$type.save >/tmp/save.txt 2>&1 || cat /tmp/save.txt
	is "$type: saved" "$(xl list $type 2>/dev/null | wc -l)" 0
	comes_to "$type: what Xen has of it then" "$before" totals
	xl restore /tmp/$type.save >/tmp/restore.txt 2>&1 || cat /tmp/restore.txt
	rm -f /tmp/$type.save
	lab-guest tell $type go
	lab-guest wait $type
	is "$type: the guest ended well" $? 0
	lab-guest out $type
	check "$type: counts exactly again" sh -c "lab-guest out $type | grep -q '^count 0'"
	# the last interval may be too short to be counted
	check "$type: the session counts to its end" sh -c \
		"lab-guest out $type | sed -n '/^stat:/,/^:stat/p' | awk -F, '/instructions:u/ { n = last; last = \$2 + 0 } END { exit !(n > 1000000) }'"
	check "$type: nothing absurd" sh -c \
		"lab-guest out $type | awk -F, '/instructions:u|cycles/ { if (\$2 + 0 > 1e11 || \$6 > 100.01) bad = 1 } END { exit bad }'"
done
comes_to "left at the end" "$before" totals
end
