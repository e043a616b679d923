# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# Meson's tests, built and run in a few ways.

UNIT_PACKAGES="build-essential meson ninja-build libcmocka-dev pkg-config python3
gcc-multilib g++"

unit_jobs() {
	job unit/plain --packages "$UNIT_PACKAGES" meson_tests plain
	job unit/asan --packages "$UNIT_PACKAGES" meson_tests asan \
		-Db_sanitize=address,undefined -Db_lundef=false
	job unit/tsan --packages "$UNIT_PACKAGES" meson_tests tsan \
		-Db_sanitize=thread -Db_lundef=false
	job unit/coverage --packages "$UNIT_PACKAGES" unit_coverage
}

# build_tree DIR SETUP-OPTION...: fails, with what was printed, or leaves that in
# DIR.log
build_tree() {
	local dir=$1 lock
	shift
	# another run may be at it; the lock goes with this process
	exec {lock}>"$dir.lock"
	flock "$lock"
	if [ ! -e "$dir/build.ninja" ]; then
		rm -rf "$dir"
		meson setup "$dir" "$root" "$@" >"$dir.log" 2>&1 || {
			show "$dir.log"
			return 1
		}
	fi
	meson compile -C "$dir" >"$dir.log" 2>&1 || {
		show "$dir.log"
		return 1
	}
}

# meson_tests NAME SETUP-OPTION...: build, run, take the results from its log
meson_tests() {
	local name=$1 dir=$tree/$1
	shift
	if ! build_tree "$dir" "$@"; then
		fail "unit/$name/compile"
		return
	fi
	if grep -q 'warning:' "$dir.log"; then
		grep -A 3 'warning:' "$dir.log" | head -n 30 | show
		fail "unit/$name/compile: the compiler warns"
	else
		pass "unit/$name/compile"
	fi
	rm -f "$dir/meson-logs/testlog.json"
	# TSan of gcc 12 cannot cope with kernels that randomise too much.  A time limit
	# is for what hangs: it must be none for a machine that is busy.  What malloc's
	# memory is filled with would be by chance.
	MALLOC_PERTURB_=165 setarch -R meson test -C "$dir" --no-rebuild --timeout-multiplier 20 \
		--print-errorlogs >"$dir.log" 2>&1 || true
	[ -z "$verbose" ] || show "$dir.log"
	if [ ! -s "$dir/meson-logs/testlog.json" ]; then
		tail -n 30 "$dir.log" | show
		fail "unit/$name: no tests ran"
		return
	fi
	python3 - "unit/$name" "$dir/meson-logs/testlog.json" <<'END'
import json
import sys

for line in open(sys.argv[2]):
    t = json.loads(line)
    name = t["name"].replace("pvpmu:", "").replace(" / ", "/").strip()
    if t["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
        print("PASS %s/%s" % (sys.argv[1], name))
        continue
    for text in (t.get("stdout") or "", t.get("stderr") or ""):
        for x in text.splitlines()[-25:]:
            print("    ", x)
    print("FAIL %s/%s %s" % (sys.argv[1], name, t["result"]))
END
}

unit_coverage() {
	local lock
	exec {lock}>"$tree/coverage.lock"
	flock "$lock"
	if "$root/tests/unit/coverage" "$tree/coverage" >"$tree/coverage.log" 2>&1; then
		pass "unit/coverage: $(tail -n 1 "$tree/coverage.log")"
	else
		tail -n 20 "$tree/coverage.log" | show
		fail "unit/coverage"
	fi
}
