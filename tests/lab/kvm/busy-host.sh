#!/bin/sh
# Counts are the guest's own: the same with a busy host and with another guest
# that counts on the same CPU.
# all: smp --smp
. lib.sh
lab-guest start a --cpus 1 -- sh -c '
	echo alone; workload count 5000000 5; echo "status $?"
	lab-mark alone; lab-await
	echo busy; workload count 5000000 20; echo "status $?"
	lab-mark busy; lab-await
	echo two; workload count 5000000 20; echo "status $?"'
lab-guest await a alone
for _ in 1 2; do
	taskset -c 1 workload busy 100000 &
done
lab-guest tell a go
lab-guest await a busy
killall workload
lab-guest start b --tiny --cpus 1 -- sh -c 'lab-mark up; workload count 5000000 100000'
lab-guest await b up
lab-guest tell a go
lab-guest wait a
lab-guest out b >/tmp/b
lab-guest kill b
for t in alone busy two; do
	lab-guest out a | sed -n "/^$t/,/^status/p" >/tmp/t
	n=$(grep -c '^[0-9]' /tmp/t)
	range="$(grep '^[0-9]' /tmp/t | sort -n | sed -n '1p;$p' | tr '\n' ' ')"
	check "$t: $n counts of 5000000 from $range" grep -q '^status 0' /tmp/t
done
sed '$d' /tmp/b | awk '$1 < 5000000 || $1 > 5000200 { bad++ } END { exit bad || NR == 0 }'
is "the other guest: $(wc -l </tmp/b) counts" $? 0
end
