# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# Runs the chosen jobs side by side: what others need first, then what takes longest,
# then, one by one, those that must be alone.  What a job printed is shown as a whole
# when it has ended.  Needs jobs.sh; work is a directory for logs.

declare -A job_state=() job_began=() job_seconds=() job_cpu=() job_pid=()

# schedule TIMES: sets order; TIMES has what jobs took the last time
schedule() {
	local times=$1 name first
	local -A guess=()
	[ ! -r "$times" ] || while read -r name first; do
		guess[$name]=$first
	done <"$times"
	mapfile -t order < <(for name in "${job_names[@]}"; do
		[ -n "${chosen[$name]:-}" ] || continue
		first=1
		[[ $name != prepare/* ]] || first=0
		[ -z "${job_alone[$name]}" ] || first=2
		printf '%d %d %s\n' "$first" "${guess[$name]:-60}" "$name"
	done | sort -k 1,1n -k 2,2nr -s | cut -d ' ' -f 3)
}

# A job's own process group, so that all of it can be ended.
start_job() {
	local name=$1 log=$work/${1//\//-}.log
	mkdir -p "${log%.log}"
	job_state[$name]=running
	job_began[$name]=$EPOCHSECONDS
	printf 'start %s\n' "$name"
	set -m
	(
		trap - INT TERM
		# for the job's command: its name, and a directory of its own
		# shellcheck disable=SC2034
		job=$name scratch=${log%.log}
		trap 'times >"$scratch.times"' EXIT
		LAB_T0=$EPOCHSECONDS
		eval "${job_command[$name]}"
	) >"$log" 2>&1 </dev/null &
	set +m
	job_pid[$name]=$!
	running=$((running + 1))
}

stop_jobs() {
	local name
	for name in "${!job_pid[@]}"; do
		[ "${job_state[$name]}" != running ] || kill -- "-${job_pid[$name]}" 2>/dev/null || true
	done
	[ -z "${ticker:-}" ] || kill "$ticker" 2>/dev/null || true
	wait
}

# ready NAME: nothing that it needs is missing; if that failed, it fails, too
ready() {
	local need
	for need in ${job_after[$1]}; do
		case ${job_state[$need]} in
		passed) ;;
		failed)
			echo "FAIL $1: did not run, as $need failed" >"$work/${1//\//-}.log"
			job_began[$1]=$EPOCHSECONDS
			job_ended "$1" 0
			return 1
			;;
		*) return 1 ;;
		esac
	done
}

start_jobs() {
	local name
	for name in "${order[@]}"; do
		[ "${job_state[$name]}" = waiting ] && ready "$name" || continue
		[ "$running" -lt "$1" ] && [ -z "$alone" ] || return 0
		if [ -n "${job_alone[$name]}" ]; then
			[ "$running" = 0 ] || continue
			alone=$name
		fi
		start_job "$name"
	done
}

# cpu_seconds FILE: what "times" wrote there, of a shell and all that it waited for
cpu_seconds() {
	[ -s "$1" ] || echo 0s >"$1"
	tr ' ms' '\n  ' <"$1" | awk '{ t += NF > 1 ? $1 * 60 + $2 : 0 } END { printf "%.0f\n", t }'
}

# job_ended NAME STATUS: takes and shows what it printed
job_ended() {
	local name=$1 status=$2 log=$work/${1//\//-}.log good bad
	good=$(grep -c '^PASS ' "$log") || true
	bad=$(grep -c '^FAIL ' "$log") || true
	if [ "$bad" = 0 ] && [ "$status" != 0 ]; then
		echo "FAIL $name: ended with status $status" >>"$log"
	elif [ "$good$bad" = 00 ]; then
		echo "FAIL $name: no test ran" >>"$log"
	fi
	bad=$(grep -c '^FAIL ' "$log") || true
	passed=$((passed + good)) failed=$((failed + bad))
	job_seconds[$name]=$((EPOCHSECONDS - job_began[$name]))
	job_cpu[$name]=$(cpu_seconds "${log%.log}.times")
	job_state[$name]=failed
	[ "$bad" != 0 ] || job_state[$name]=passed
	printf '\n== %s: %d s (%d of CPU time), %d passed, %d failed\n' "$name" \
		"${job_seconds[$name]}" "${job_cpu[$name]}" "$good" "$bad"
	cat "$log"
	printf '\n'
}

sign_of_life() {
	local name
	for name in "${order[@]}"; do
		[ "${job_state[$name]}" = running ] || continue
		printf '... %s (%d s): %s\n' "$name" $((EPOCHSECONDS - job_began[$name])) \
			"$(sed -n "/[^ ]/p" "$work/${name//\//-}.log" | tail -n 1 | tr -d '\r' | sed 's/^ *//' | cut -c 1-60)"
	done
}

# run_jobs N TIMES: N side by side; status 0 when all that ran passed
run_jobs() {
	local n=$1 times=$2 name pid status running=0 alone='' left
	passed=0 failed=0 ticker=
	schedule "$times"
	for name in "${order[@]}"; do job_state[$name]=waiting; done
	while :; do
		start_jobs "$n"
		if [ "$running" = 0 ]; then
			# what failed without having run may be what another waited for
			left=
			for name in "${order[@]}"; do
				[ "${job_state[$name]}" != waiting ] || left=1
			done
			[ -n "$left" ] || break
			continue
		fi
		[ -n "$ticker" ] || { sleep 30 >/dev/null 2>&1 & ticker=$!; }
		status=0
		wait -n -p pid || status=$?
		if [ "$pid" = "$ticker" ]; then
			ticker=
			sign_of_life
			continue
		fi
		for name in "${order[@]}"; do
			[ "${job_state[$name]}" = running ] && [ "${job_pid[$name]}" = "$pid" ] || continue
			running=$((running - 1))
			[ "$alone" != "$name" ] || alone=
			job_ended "$name" "$status"
			break
		done
	done
	[ -z "$ticker" ] || kill "$ticker"
	ticker=
	remember "$times"
	summary
}

# remember TIMES: for the order of the next run; the CPU's time, as a busy machine
# must not change it
remember() {
	local name
	{
		for name in "${!job_seconds[@]}"; do
			[ "${job_state[$name]}" != passed ] ||
				printf '%s %d\n' "$name" "${job_cpu[$name]}"
		done
		[ ! -r "$1" ] || cat "$1"
	} | sort -u -s -k 1,1 >"$work/times"
	mv "$work/times" "$1"
}

summary() {
	local name
	printf 'the slowest:\n'
	for name in "${!job_seconds[@]}"; do
		printf '%6d s (%d of CPU time)  %s\n' "${job_seconds[$name]}" "${job_cpu[$name]}" "$name"
	done | sort -s -k 1,1nr | sed 10q
	if [ "$failed" != 0 ]; then
		printf '\nfailed:\n'
		for name in "${order[@]}"; do
			sed -n 's/^FAIL /  /p' "$work/${name//\//-}.log"
		done
	fi
	printf '\n%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
