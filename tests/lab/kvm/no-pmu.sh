#!/bin/sh
# A host without a PMU: the guest is told which events do not exist, and samples
# with the vCPU-time clock, also where its own timers cannot look.
# kvm-lab: --cpus 1 --no-pmu --module tests/lab/guest/pvpmu_irqsoff
. lib.sh
serve_start a

stage "perf stat"
ask "perf stat -x, -e instructions,cycles,branches,cache-misses,L1-dcache-loads,vcpu-clock true" >/tmp/stat
cat /tmp/stat
for e in instructions cycles branches cache-misses L1-dcache-loads; do
	is "perf stat: $e" "$(sed -n "s/^\([^,]*\),[^,]*,$e.*/\1/p" /tmp/stat)" \
		"<not supported>"
done

stage "interrupts off"
ask 'insmod /lab/modules/pvpmu_irqsoff.ko'
spin='for i in 1 2 3 4 5; do echo 100 >/sys/module/pvpmu_irqsoff/parameters/spin; done'

# samples EVENT: the symbols that it hits while half a second is spent there
samples() {
	ask "perf record -q -e $1 -c 1000000 -o /tmp/data -- sh -c '$spin'; perf script -i /tmp/data -F ip,sym"
}
samples cpu/vcpu-clock/ >/tmp/vcpu-clock
samples cpu-clock >/tmp/cpu-clock
for f in vcpu-clock cpu-clock; do
	echo "$f:"
	sed 's/^ *[0-9a-f]* //' /tmp/$f | sort | uniq -c | sort -rn | head -n 4
done
# By address: where a module's init code was freed and another was loaded into
# its place, perf may show the name from before.
ask 'grep -E " (irqsoff_spin|spin_set)[^a-z_]" /proc/kallsyms' >/tmp/symbols
# inside EVENT: samples from irqsoff_spin to the function behind it
inside() {
	awk '
		NR == FNR { at[$3] = $1; next }
		$1 >= at["irqsoff_spin"] && $1 < at["spin_set"] { n++ }
		END { print n + 0 }' /tmp/symbols "/tmp/$1"
}
is "symbols of the module" "$(grep -c . /tmp/symbols)" 2
n=$(inside vcpu-clock)
check "vcpu-clock: samples of the 500 ms with interrupts off: $n" \
	[ "$n" -ge 400 -a "$n" -le 550 ]
is "cpu-clock: samples of them" "$(inside cpu-clock)" 0
n=$(grep -c . /tmp/cpu-clock)
check "cpu-clock: but it does sample: $n" [ "$n" -ge 5 ]
serve_end
end
