#!/bin/sh
# Three domains on one physical CPU: each counts its own, and what another had
# of the CPU is not taken for multiplexing.
# all: smp --smp
. lib.sh
[ -e /sys/module/pvpmu ] || insmod /lab/modules/pvpmu.ko
xl vcpu-pin Domain-0 all 0
n=300000000
count() { echo "perf stat -x, -o /tmp/o -e instructions:u,cycles:u workload spin $1; cat /tmp/o"; }

lab-guest start a --type pvh --cpus 0 -- sh -c "lab-mark up; lab-await >/dev/null; $(count $n)"
lab-guest start b --type pv --cpus 0 -- sh -c "lab-mark up; lab-await >/dev/null; $(count $((2 * n)))"
lab-guest await a up
lab-guest await b up
lab-guest tell a go
lab-guest tell b go
sh -c "$(count $((3 * n)))" >/tmp/dom0.txt
lab-guest wait a
lab-guest wait b
# NAME FILE WANTED: the count with what perf and the start of a program add
judge() {
	cat "$2"
	c=$(sed -n 's/^\([0-9]*\),,instructions:u,.*/\1/p' "$2")
	at_most "$1: counted beyond $3" "$((${c:-99999999} - $3))" 200000
	check "$1: not less than $3" [ "${c:-0}" -ge "$3" ]
	is "$1: share of time" "$(sed -n 's/.*instructions:u,[0-9]*,\([0-9.]*\),.*/\1/p' "$2")" 100.00
}
xl vcpu-pin Domain-0 all all
judge "pvh guest" /run/lab/a/out $n
judge "pv guest" /run/lab/b/out $((2 * n))
judge dom0 /tmp/dom0.txt $((3 * n))
end
