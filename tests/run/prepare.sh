# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# What tests need before they can run, each made once: a job for each, so that others
# go on meanwhile.  With a warm cache they take a moment.

LAB_PACKAGES="build-essential cpio binutils xz-utils libelf1 patch"

prepare_jobs() {
	job prepare/tools prepare_tools
	job prepare/packages --packages "$LAB_PACKAGES" prepare_packages
	job prepare/instrument --after prepare/packages \
		--packages "$LAB_QEMU_BUILD_PACKAGES" prepare_instrument
	job prepare/kvm --after prepare/instrument \
		prepared "$root/tests/lab/kvm-lab" --prepare
	job prepare/xen --after prepare/instrument --packages "$LAB_XEN_BUILD_PACKAGES" \
		prepared "$root/tests/lab/xen-lab" --prepare
	job prepare/i386 --after prepare/kvm --packages gcc-multilib \
		prepared "$root/tests/lab/kvm-lab" --prepare --i386
	job prepare/programs --packages "$LAB_PACKAGES gcc-multilib" prepare_programs
	job prepare/fuzz --packages "clang libclang-rt-14-dev meson ninja-build pkg-config" \
		prepare_fuzz
}

prepared() {
	"$@" 2>&1 | show
	pass "$job"
}

# the packages of all chosen tests at once: apt-get runs one at a time
prepare_tools() {
	local name packages=''
	for name in "${!chosen[@]}"; do
		packages+=" ${job_packages[$name]}"
	done
	# shellcheck disable=SC2046,SC2086
	prepared lab_need_packages $(printf '%s\n' $packages | sort -u)
}

prepare_packages() { prepared lab_debian; }

prepare_instrument() {
	lab_debian
	prepared lab_instrument
}

# Programs of tests/lab/guest, of 64 bits and of 32, and those for the KVM host alone,
# which need the module's source: $programs/{guest,i386,host}.
programs_key() {
	{
		hash_of "$root"/{tests/lab/guest,tools,include,backends/kvm} "$root/tests/run/prepare.sh"
		gcc --version 2>/dev/null | head -n 1
	} | sha256sum | cut -c 1-12
}

prepare_programs() { prepared lab_make programs "$programs" programs_make; }

programs_make() {
	lab_expire 'programs-*'
	rm -rf "$programs"
	mkdir -p "$programs"/{guest,i386,host}
	make -s -C "$root/tests/lab/guest" "OUT=$programs/guest"
	make -s -C "$root/tests/lab/guest" "OUT=$programs/i386" CFLAGS="-O2 -g -m32" \
		"$programs"/i386/{guest-tests,rdpmc,workload}
	mv "$programs/i386/workload" "$programs/i386/workload32"
	make -s -C "$root/backends/kvm/selftest" "OUT=$programs/host"
}

prepare_fuzz() {
	local dir=$tree/fuzz
	CC=clang build_tree "$dir" -Dfuzz=true -Db_lundef=false
	pass "$job"
}
