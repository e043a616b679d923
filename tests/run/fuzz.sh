# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# Fuzz targets.  What every run does is always the same: a seed, a number of inputs,
# the inputs of the tree in a fixed order, no address that changes.  What finds new
# inputs, and keeps them, is for --all.

# Inputs for each target, so that each takes some ten seconds.
declare -A FUZZ_RUNS=([calls]=10000 [guest]=400000 [overflow]=15000 [record]=50000)

fuzz_jobs() {
	local f name
	for f in "$root"/tests/fuzz/fuzz_*.c; do
		name=$(basename "$f" .c)
		name=${name#fuzz_}
		job "fuzz/$name" --after prepare/fuzz fuzz_same "$name"
	done
	for f in "$root"/tests/fuzz/fuzz_*.c; do
		name=$(basename "$f" .c)
		name=${name#fuzz_}
		job "fuzz/$name-new" --all --after prepare/fuzz fuzz_new "$name"
	done
}

fuzz_same() {
	local found=$scratch/found
	mkdir -p "$found"
	find "$root/tests/fuzz/corpus/$1" -type f | LC_ALL=C sort | paste -s -d , >"$scratch/inputs"
	fuzz "$1" "-seed=1" "-runs=${FUZZ_RUNS[$1]}" "-seed_inputs=@$scratch/inputs" "$found"
}

fuzz_new() {
	local corpus=$CACHE/corpus/fuzz_$1
	mkdir -p "$corpus"
	fuzz "$1" "-max_total_time=$fuzz_seconds" "$corpus" "$root/tests/fuzz/corpus/$1"
}

# fuzz TARGET LIBFUZZER-ARGUMENT...
fuzz() {
	local target=$1 f
	shift
	# what does not end in minutes hangs; a busy machine is no reason
	if setarch -R "$tree/fuzz/tests/fuzz/fuzz_$target" -timeout=300 -rss_limit_mb=2048 \
		"-artifact_prefix=$scratch/" -print_final_stats=1 "$@" >"$scratch/log" 2>&1; then
		[ -z "$verbose" ] || show "$scratch/log"
		pass "$job: $(sed -n 's/.*number_of_executed_units: *//p' "$scratch/log") runs"
		return
	fi
	tail -n 40 "$scratch/log" | show
	for f in "$scratch"/{crash,timeout,oom,leak}-*; do
		[ -e "$f" ] || continue
		echo "     input $f:"
		base64 "$f" | show
	done
	fail "$job"
}
