# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# The tests that there are: one table, from which they are listed, chosen and run.
# A job is a command in a process of its own, which prints lines that begin with
# PASS, FAIL or SKIP; all that it says beside them is indented.

job_names=()
declare -A job_command=() job_after=() job_packages=() job_when=() job_alone=()

# job NAME [OPTION]... COMMAND [ARG]...: adds a test to the table
#   --all            only with ./test --all, or by its name
#   --alone          nothing else runs meanwhile: it takes its time from the clock
#   --after JOB      not before JOB, which it needs, passed; may be repeated
#   --packages LIST  Debian packages that must be there
job() {
	local name=$1
	shift
	job_names+=("$name")
	job_after[$name]='' job_packages[$name]='' job_when[$name]='' job_alone[$name]=''
	while [[ $1 == --* ]]; do
		case $1 in
		--all) job_when[$name]=all ;;
		--alone) job_alone[$name]=1 ;;
		--after) job_after[$name]+=" $2"; shift ;;
		--packages) job_packages[$name]+=" $2"; shift ;;
		esac
		shift
	done
	[ -z "${job_packages[$name]}" ] || job_after[$name]+=" prepare/tools"
	job_command[$name]=$(printf '%q ' "$@")
}

# job_exists WORD: WORD is a group, or the name of a test
job_exists() {
	local name
	for name in "${job_names[@]}"; do
		[ "$name" != "$1" ] && [ "${name%%/*}" != "$1" ] || return 0
	done
	return 1
}

# job_named NAME WORD...: one of the words means it
job_named() {
	local name=$1 word
	shift
	for word; do
		[ "$word" != "$name" ] && [ "$word" != "${name%%/*}" ] || return 0
	done
	return 1
}

# list_jobs WORD...: both sets
list_jobs() {
	local name
	for name in "${job_names[@]}"; do
		job_named "$name" "$@" || continue
		printf '%s%s\n' "$name" "${job_when[$name]:+  --all}"
	done
}

# choose_jobs ALL WORD...: sets chosen, with what these need
choose_jobs() {
	local all=$1 name
	shift
	declare -gA chosen=()
	for name in "${job_names[@]}"; do
		job_named "$name" "$@" || continue
		# of a group, what is not for --all; by its name, anything
		[ -n "$all" ] || [ -z "${job_when[$name]}" ] || [[ " $* " == *" $name "* ]] || continue
		choose_job "$name"
	done
}

choose_job() {
	local need
	[ -z "${chosen[$1]:-}" ] || return 0
	chosen[$1]=1
	for need in ${job_after[$1]}; do
		choose_job "$need"
	done
}

# What a job says.  A test's name is a path that begins with the name of its job.
pass() { printf 'PASS %s\n' "$*"; }
fail() { printf 'FAIL %s\n' "$*"; }

# show [FILE]...: what a program printed is no result
show() { sed 's/^/     /' "$@"; }

# silent NAME COMMAND [ARG]...: passes if the command succeeds and prints nothing
silent() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then
		pass "$name"
	else
		head -n 30 <<<"$out" | show
		fail "$name"
	fi
}
