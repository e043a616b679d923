#!/bin/sh
# What ./demo shows: perf, as it is, in a guest.
run() {
	echo
	echo "guest# $*"
	"$@" 2>&1 | cat # perf shows colours to a terminal
}

set -e
set -o pipefail
run uname -sr
[ ! -e /sys/module/pvpmu ] || run cat /sys/bus/event_source/devices/cpu/type
run perf stat -- wordfreq /proc/kallsyms
# 499 a second: perf's 4000 keep an emulated CPU busy with nothing but samples
run perf record -F 499 -o /tmp/perf.data -- wordfreq /proc/kallsyms |
	grep -v '^ *[0-9]* [a-zA-Z]*$'
run perf report -i /tmp/perf.data --stdio --percent-limit 1.5 |
	grep -v -e '^$' -e '^#$' -e 'install perf'
