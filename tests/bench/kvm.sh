#!/bin/sh
# Runs on the KVM host of the lab: the same program in a guest with KVM's own
# vPMU, in one without any PMU, and in one with pvpmu.  Each on a host whose
# modules are those that it needs and no others.

reload_kvm() { # enable_pmu=0|1
	for m in $(sed -n '1!G;h;$p' /modules/kvm.order); do
		# a guest that has ended may still be on its way out
		n=0
		until rmmod "${m%.ko}"; do
			n=$((n + 1))
			[ $n -lt 50 ] || exit 125
			sleep 0.1
		done
	done
	for m in $(cat /modules/kvm.order); do
		p=
		[ "$m" != kvm.ko ] || p=$1
		# shellcheck disable=SC2086
		insmod "/modules/$m" $p || exit 125
	done
}

guest() { # NAME MODULE-OPTION COMMAND...
	name=$1 module=$2
	shift 2
	lab-guest run "$name" "$module" -- "$@" || exit
}

six='4 ms, 10 events on 6 slots'
reload_kvm enable_pmu=1
guest vpmu --no-module sh -c "bench-cases vpmu switch read sample open
	pvbench vpmu rotate 10 '$six'"
reload_kvm enable_pmu=0
guest none --no-module sh -c "pvbench none cpuid idle
	pvbench none load 'fork + exec, no perf'"
insmod /lab/modules/pvpmu_kvm.ko || exit 125
guest pvpmu --module bench-cases pvpmu cpuid idle switch read sample open
rmmod pvpmu_kvm
insmod /lab/modules/pvpmu_kvm.ko slots_vcpu=6 || exit 125
guest six --module pvbench pvpmu rotate 10 "$six"
