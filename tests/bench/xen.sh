#!/bin/sh
# Runs in dom0 of Xen's lab: the same program in a PVH guest and in a PV guest.

# Shows what is new of what a guest wrote, line by line.
shown=0
show() {
	lab-guest out "$1" >/tmp/out
	lines=$(wc -l </tmp/out)
	sed -n "$((shown + 1)),${lines}p" /tmp/out
	shown=$lines
}

for type in pvh pv; do
	lab-guest start $type --type $type --mem 384 -- \
		bench-cases $type cpuid switch read sample open
	shown=0
	while xl domid $type >/dev/null 2>&1; do
		sleep 2
		show $type
	done
	lab-guest wait $type || exit
	show $type
done

calls_now() {
	pvpmuctl list --json |
		sed -n "s/.*\"vm\": $(xl domid calls), .*\"calls\": \([0-9]*\).*/\1/p"
}

# A PV guest's hypercalls are no VM exits; Xen's statistics tell of ours.
calls() { # CASE N NAME: of the program hypercalls, and the case that it is here
	lab-guest start calls --type pv --tiny -- hypercalls "$1" "$2"
	lab-guest await calls begin
	calls=$(calls_now)
	lab-guest tell calls go
	lab-guest await calls end
	calls=$(($(calls_now) - calls))
	lab-guest tell calls go
	lab-guest wait calls || exit
	case=$1 n=$2 name=$3
	# shellcheck disable=SC2046 # calls X switches Y samples Z
	set -- $(lab-guest out calls)
	case $case in
	both | cloned) n=$4 ;;
	samples) n=$6 ;;
	esac
	awk "BEGIN { printf \"pv-calls\t%s\t%.2f\n\", \"$name\", $calls / $n }"
}

calls both 500 'switch, 6 own events'
calls cloned 500 'switch, 6 inherited events'
calls stopped 1000 'read, stopped event'
calls samples 200 'sample, 1 event, by period'
