# Runs on the KVM host of the lab: the same program in a guest with KVM's own
# vPMU, in one without any PMU, and in one with pvpmu.  Each on a host whose
# modules are those that it needs and no others.

reload_kvm() { # enable_pmu=0|1
	for m in $(sed -n '1!G;h;$p' /modules/kvm.order); do
		rmmod "${m%.ko}" || exit 125
	done
	for m in $(cat /modules/kvm.order); do
		p=
		[ "$m" != kvm.ko ] || p=$1
		# shellcheck disable=SC2086
		insmod "/modules/$m" $p || exit 125
	done
}

cat >/tmp/cases <<'END'
label=$1
pvbench "$label" all
pvbench "$label" run "fork+exec load, no perf (each of 50)" -- pvbench load 50
pvbench "$label" run "fork+exec load, perf stat" -- \
	perf stat -e instructions,cycles,branches,branch-misses -o /tmp/stat pvbench load 50
pvbench "$label" run "fork+exec load, perf record -F 4000" -- \
	perf record -q -F 4000 -e instructions -o /tmp/perf.data pvbench load 50
END

guest() { # NAME LABEL MODULE-OPTION
	lab-guest run "$1" --pin 1 "$3" -- sh -c "$(cat /tmp/cases)" cases "$2" || exit $?
}

only=${BENCH_ONLY:-}
if [ "$only" != pvpmu ]; then
	reload_kvm enable_pmu=1
	guest vpmu vpmu --no-module
	reload_kvm enable_pmu=0
	lab-guest run none --pin 1 --no-module -- sh -c \
		'pvbench none all 2>/dev/null | grep -e CPUID -e idle' || :
fi
insmod /lab/modules/pvpmu_kvm.ko || exit 125
guest pvpmu pvpmu --module
rmmod pvpmu_kvm
insmod /lab/modules/pvpmu_kvm.ko slots_vcpu=6 || exit 125
lab-guest run six --pin 1 --module -- pvbench pvpmu rotate '4 ms, 10 events on 6 slots' || exit $?
