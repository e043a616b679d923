# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# What is wrong with the text of the programs, without running them.

LINT_MODULES="backends/kvm:pvpmu_kvm frontends/linux:pvpmu
tests/lab/guest/pvpmu_abitest:pvpmu_abitest tests/lab/guest/pvpmu_irqsoff:pvpmu_irqsoff
tests/lab/instrument/perfmon_v2_test:perfmon_v2_test"

lint_jobs() {
	local f
	job lint/scripts --packages shellcheck lint_scripts
	job lint/spelling --packages codespell silent lint/spelling spelling
	job lint/core --packages sparse silent "lint/sparse core" sparse_core
	job lint/kernel-doc --packages perl --after prepare/packages lint_kernel_doc
	for f in $LINT_MODULES; do
		job "lint/${f#*:}" --packages "$LAB_PACKAGES sparse" --after prepare/packages \
			lint_module "${f%:*}" "${f#*:}"
	done
	job lint/runner lint_runner
}

lint_scripts() {
	local f
	while read -r f; do
		head -n 1 "$root/$f" | grep -qE '^#!.*\b(ba)?sh$|shellcheck shell=' ||
			[[ $f == *.sh ]] || continue
		silent "lint/$f" shellcheck_one "$f"
	done < <(cd "$root" && find demo test bench .ci tests/lab tests/bench tests/run -type f \
		! -name '*.[ch]' ! -name '*.patch' 2>/dev/null | sort)
}

shellcheck_one() {
	(cd "$root" && shellcheck -x -S warning -s "$(shell_of "$1")" "$1")
}

shell_of() {
	if head -n 1 "$root/$1" | grep -q bash; then echo bash; else echo dash; fi
}

spelling() {
	(cd "$root" && codespell --skip '*/corpus,*.patch' README.md docs include core \
		backends frontends tools tests demo test bench)
}

sparse_core() {
	(cd "$root" && sparse -Wall -std=gnu11 -Iinclude core/*.c)
}

# Parameters and members that have no description, and the other way about.
kernel_doc() {
	local script=$DEB_ROOT/usr/lib/linux-kbuild-6.1/scripts/kernel-doc
	[ -r "$script" ] || return 1
	(cd "$root" && perl "$script" -none include/pvpmu/*.h core/*.[ch] \
		backends/*/*.[ch] frontends/*/*.[ch] 2>&1) |
		grep -v 'no structured comments' || true
}

lint_kernel_doc() {
	lab_debian
	silent lint/kernel-doc kernel_doc
}

# lint_module DIR NAME
lint_module() {
	local copy
	modules=()
	lab_debian
	lab_module "$1" "$2" 2>&1
	copy=${modules[-1]%/*}
	silent "lint/compiler $1" no_match '\.[chS]:[0-9]+:.* warning:' "$copy/make.log"
	silent "lint/sparse $1" sparse_module "$1" "$copy"
}

# no_match PATTERN FILE: fails, too, if there is no such file
no_match() {
	grep -E "$1" "$2"
	[ $? = 1 ]
}

# sparse_module DIR COPY: of a module that lab_module built in COPY
sparse_module() {
	make -s -C "$2/$1" "KDIR=$KDIR" C=2 CHECK=sparse 2>&1 |
		grep -E '(warning|error):'
	[ "${PIPESTATUS[*]}" = "0 1" ]
}

lint_runner() { "$root/tests/run/selftest"; }
