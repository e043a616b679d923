# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# Tests in the lab.  Scripts say in comments how they want to be run:
#   # kvm-lab: OPTION...                     options of the run (or "# xen-lab:")
#   # all: NAME [VARIABLE=VALUE]... [OPTION]...
#                             with --all, again as SCRIPT-NAME: the script begins
#                             with the variables, the run has these options as well
#   # when: all                              with --all only

instrument_jobs() {
	local dir=$root/tests/lab/instrument
	instrument_job instrument/host "$dir/on-host.sh"
	instrument_job instrument/guest "$dir/of-guest.sh"
	instrument_job instrument/det "$dir/on-host.sh" --cpus 1
	instrument_job instrument/det-v2 "$dir/on-host.sh" --cpus 1 --perfmon-v2
	# without a driver, so that the registers are as reset left them
	instrument_job instrument/perfmon-v2 "$dir/perfmon-v2.sh" --cpus 1 --perfmon-v2 \
		--module tests/lab/instrument/perfmon_v2_test \
		--host-append initcall_blacklist=init_hw_perf_events
	# more output than a pipe holds, and times of the guest after it
	lab_job instrument/same kvm-lab "" lab_tests "same kvm-lab" --guest-smp 2 -- \
		sh -c 'guest-tests --deterministic
			head -c 300000 /dev/zero | tr "\0" x; cat /proc/uptime'
	instrument_job instrument/smp "$dir/on-host.sh" --smp
	instrument_job instrument/guest-smp "$dir/of-guest.sh" --smp
}

# instrument_job NAME SCRIPT LAB-OPTION...
instrument_job() {
	local name=$1 script=$2
	shift 2
	lab_job "$name" kvm-lab "$*" lab_tests kvm-lab --no-modules "$@" --host-script "$script"
}

# HOST:GUEST of the KVM lab, beside 6.1:6.1: each kernel as host and as guest, and
# guests of each kernel on one host
OTHER_KERNELS="6.12:6.12 7.3:7.3 6.1:6.12 6.1:7.3"

kvm_jobs() {
	local kernels name choice
	job kvm/demo --after prepare/kvm --after prepare/programs kvm_demo
	lab_job kvm/guest kvm-lab "" lab_tests kvm-lab --guest-smp 2 -- guest-tests --deterministic
	lab_job kvm/guest-det kvm-lab "" lab_tests kvm-lab --cpus 1 -- guest-tests --deterministic
	for kernels in $OTHER_KERNELS; do
		name=host-${kernels%:*}-guest-${kernels#*:}
		choice=(--host-kernel "${kernels%:*}" --guest-kernel "${kernels#*:}")
		job "prepare/kvm-$name" --after prepare/kvm \
			prepared "$root/tests/lab/kvm-lab" --prepare "${choice[@]}"
		lab_job "kvm/$name" kvm-lab "" lab_tests kvm-lab "${choice[@]}" -- \
			guest-tests --deterministic
		job_after["kvm/$name"]+=" prepare/kvm-$name"
	done
	lab_job kvm/guest-smp kvm-lab --smp lab_tests kvm-lab --smp --guest-smp 2 -- guest-tests
	script_jobs kvm
}

xen_jobs() {
	local kind
	job xen/demo --after prepare/xen --after prepare/programs xen_demo
	for kind in pvh pv dom0; do
		lab_job "xen/guest-$kind" xen-lab "" lab_tests xen-lab --guest "$kind" --guest-smp 2 -- \
			guest-tests --deterministic
	done
	for kind in pvh pv dom0; do
		lab_job "xen/guest-$kind-smp" xen-lab --smp lab_tests xen-lab --smp --guest "$kind" \
			--guest-smp 2 -- guest-tests
	done
	lab_job xen/same xen-lab "" lab_tests "same xen-lab" --guest-smp 2 -- \
		sh -c 'perf stat -e instructions,cycles wordfreq /proc/kallsyms; cat /proc/uptime'
	script_jobs xen
}

# lab_job NAME LAB OPTIONS COMMAND...: a run whose time is the clock's is for --all,
# and nothing may run beside it
lab_job() {
	local name=$1 lab=$2 options=$3 how=()
	shift 3
	[[ " $options " != *" --smp "* ]] || how+=(--all --alone)
	[[ " $options " != *" --i386 "* ]] || how+=(--after prepare/i386)
	job "$name" "${how[@]}" --after "prepare/${lab%-lab}" --after prepare/programs "$@"
}

# script_jobs GROUP: the scripts of tests/lab/GROUP
script_jobs() {
	local lab=$1-lab f name options when again more variables
	for f in "$root/tests/lab/$1"/*.sh; do
		name=$1/$(basename "$f" .sh)
		[ "$name" != "$1/lib" ] || continue
		options=$(sed -n "s/^# $lab: *//p" "$f")
		when=$(sed -n 's/^# when: *//p' "$f")
		# shellcheck disable=SC2086
		lab_job "$name" "$lab" "$options" lab_script "$lab" "$f" $options
		[ "$when" != all ] || job_when[$name]=all
		while read -r again more; do
			variables=${more%%--*}
			more=${more#"$variables"}
			# shellcheck disable=SC2086
			lab_job "$name-$again" "$lab" "$options $more" \
				lab_script "$lab" "$f" $variables $options $more
			job_when["$name-$again"]=all
		done < <(sed -n 's/^# all: *//p' "$f")
	done
}

# lab_script LAB FILE [VARIABLE=VALUE]... [OPTION]...
lab_script() {
	local lab=$1 f=$2 options=() variables=() script o
	shift 2
	while [[ ${1:-} =~ ^[a-z_]+=[0-9]+$ ]]; do
		variables+=("$1")
		shift
	done
	options=("$@")
	script=$scratch/script
	{
		head -n 1 "$f"
		printf '%s' "${variables[@]/%/$'\n'}"
		tail -n +2 "$f"
	} >"$script"
	[ "$lab" != kvm-lab ] || for o in "$programs"/host/*; do options+=(--host-add "$o"); done
	if [[ " ${options[*]} " == *" --i386 "* ]]; then
		options+=(--i386-add "$programs/i386/guest-tests" --i386-add "$programs/i386/rdpmc"
			--add "$programs/i386/workload32")
	fi
	lab_tests "$lab" "${options[@]}" --host-script "$script"
}

# lab_tests LAB LAB-ARGUMENT...: a run whose output has PASS and FAIL lines; LAB may
# be "same LAB"
lab_tests() {
	local lab=() adds=() f line rc=0
	read -r -a lab <<<"$1"
	lab[0]=$root/tests/lab/${lab[0]}
	shift
	for f in "$programs"/guest/* "$root"/tests/lab/guest/*.sh "$root/tests/lab/kvm/lib.sh"; do
		adds+=(--add "$f")
	done
	"${lab[@]}" ${keep:+--keep "$keep/${job//\//-}"} "${adds[@]}" "$@" 2>&1 |
		while IFS= read -r line || [ -n "$line" ]; do
			case $line in
			'PASS '* | 'FAIL '* | 'SKIP '*) printf '%s %s/%s\n' "${line%% *}" "$job" "${line#* }" ;;
			*) printf '     %s\n' "$line" ;;
			esac
		done || rc=${PIPESTATUS[0]}
	# a status of 1 is what scripts have when they said FAIL
	[ "$rc" = 0 ] || [ "$rc" = 1 ] || fail "$job: ended with status $rc"
	return "$rc"
}
