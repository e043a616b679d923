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

# Each guest runs to its end on the second CPU, then shows what it wrote.
pinned() { # NAME MODULE-OPTION COMMAND...
	name=$1 module=$2
	shift 2
	lab-guest start "$name" --pin 1 "$module" -- "$@"
	lab-guest wait "$name"
	rc=$?
	lab-guest out "$name"
	[ "$rc" = 0 ] || exit "$rc"
}

guest() { # NAME LABEL MODULE-OPTION
	pinned "$1" "$3" sh -c "$(cat /tmp/cases)" cases "$2"
}

reload_kvm enable_pmu=1
guest vpmu vpmu --no-module
reload_kvm enable_pmu=0
pinned none --no-module sh -c 'pvbench none idle'
insmod /lab/modules/pvpmu_kvm.ko || exit 125
guest pvpmu pvpmu --module
rmmod pvpmu_kvm
insmod /lab/modules/pvpmu_kvm.ko slots_vcpu=6 || exit 125
pinned six --module pvbench pvpmu rotate '4 ms, 10 events on 6 slots'
