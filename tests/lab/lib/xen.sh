# shellcheck shell=bash
# The Xen side of the lab: the hypervisor, built from Debian's source with
# backends/xen in it, Debian's tools for dom0, and the images of dom0 and its
# guests.  Needs common.sh, debian.sh and image.sh.

# The versions that there are; each is of a release of Debian.
# shellcheck disable=SC2034 # for those who source this
LAB_XENS="4.17 4.20"

# Of 4.17, newest first; the first that downloads is taken.
LAB_XEN_SOURCES="
4.17.7+13-g2445b30a44-0+deb12u1
4.17.5+72-g01140da4e8-1
"

LAB_XEN_BUILD_PACKAGES="build-essential dpkg-dev flex bison python3 patch xz-utils cpio"

# Of later ones, suites that have the source; the first that downloads is taken.
LAB_XEN_SUITES="trixie forky"

# lab_xen_kernel VERSION: the kernel of the same release of Debian
lab_xen_kernel() {
	case $1 in
	4.17) echo 6.1 ;;
	*) echo 6.12 ;;
	esac
}

# lab_xen_programs VERSION: the tools that dom0 has
lab_xen_programs() {
	local p
	for p in xl xenstored xenconsoled xen-init-dom0 libxl-save-helper; do
		echo "usr/lib/xen-$1/bin/$p"
	done
	echo usr/bin/xenstore-read usr/bin/xenstore-write usr/bin/xenstore-ls
}

LAB_XEN_CONFIG="CONFIG_PV32=y
CONFIG_LIVEPATCH=n"

# lab_xen_config BUILD: of a debug build the ASSERTs are part of every test
lab_xen_config() {
	case $1 in
	debug) echo CONFIG_DEBUG=y ;;
	release) echo CONFIG_DEBUG=n ;;
	esac
	echo "$LAB_XEN_CONFIG"
}

# lab_xen_source DIR VERSION: extracts the source into DIR/src
lab_xen_source() {
	local suite
	case $2 in
	4.17)
		# shellcheck disable=SC2086
		lab_source "$1" xen '4\.17\.' $LAB_XEN_SOURCES
		;;
	*)
		for suite in $LAB_XEN_SUITES; do
			! lab_orig_source "$1" "$suite" xen "${2//./\\.}\\." || return 0
		done
		die "no source of Xen $2 could be downloaded"
		;;
	esac
}

lab_xen_prepare() {
	local d=$1 version=$2 build=$3 tree=$1/source/src
	# shellcheck disable=SC2086
	lab_need_packages $LAB_XEN_BUILD_PACKAGES
	rm -rf "$d"
	mkdir -p "$d"
	lab_xen_source "$d/source" "$version"
	make -s -C "$tree/xen" defconfig >"$d/config.log" 2>&1 ||
		die "Xen does not configure, see $d/config.log"
	lab_xen_config "$build" >>"$tree/xen/.config"
	make -s -C "$tree/xen" olddefconfig >>"$d/config.log" 2>&1 ||
		die "Xen does not configure, see $d/config.log"
	# The emulator raises #GP where a self-test of Xen's debug build wants #SS,
	# and Xen would then wait for three seconds.
	sed -i '/\.res\.fields\.trapnr = /{s/TRAP_stack_error/TRAP_gp_fault/;s/X86_EXC_SS/X86_EXC_GP/}' \
		"$tree/xen/arch/x86/extable.c"
}

lab_xen_build() {
	local d=$1 tree=$1/source/src
	logged "$d/install.log" "putting pvpmu into Xen's tree" \
		"$REPO/backends/xen/install" "$tree" || die "backends/xen/install failed"
	logged "$d/build.log" "building Xen (3 to 6 CPU minutes the first time)" \
		nice make -s -C "$tree/xen" -j "$(nproc)" || die "Xen does not build"
	find "$d" -maxdepth 1 -name 'xen-*' -mtime +14 -delete
	gunzip -c "$tree/xen/xen.gz" >"$XEN.new"
	mv "$XEN.new" "$XEN"
}

# lab_xen_hypervisor VERSION BUILD: sets XEN, the hypervisor's ELF32 file, and XEN_TREE, where
# its source is.  One build tree is kept, so that a change of our files costs
# only what it touches.
lab_xen_hypervisor() {
	local version=$1 build=$2 d
	d=$CACHE/xen-$version-$build-$({ echo "$LAB_XEN_SOURCES"; lab_xen_config "$build"; } |
		sha256sum | cut -c 1-12)
	# shellcheck disable=SC2034 # for those who source this
	XEN_TREE=$d/source/src/xen
	XEN=$d/xen-$(hash_of "$REPO/backends/xen" "$REPO/core" "$REPO/include" \
		"$REPO"/tools/probe*)
	[ ! -e "$XEN" ] || return 0
	lab_make xen "$d" lab_xen_prepare "$d" "$version" "$build"
	(
		flock 8
		[ -e "$XEN" ] || lab_xen_build "$d" 8>&-
	) 8>"$CACHE/lock-xen"
}

lab_xen_tools_make() {
	local d=$1 version=$2 packages
	packages="xen-utils-$version xenstore-utils"
	lab_apt_setup "$(lab_kernel_suite "$(lab_xen_kernel "$version")")"
	[ "$version" = 4.17 ] || packages+=" base-files"
	rm -rf "$d" "$LAB_APT/cache/archives"
	mkdir -p "$d/root" "$LAB_APT/cache/archives/partial"
	# shellcheck disable=SC2086
	logged "$CACHE/xen-tools.log" "downloading Xen's tools" \
		lab_apt_get -y -d install $packages || die "cannot download $packages"
	lab_extract "$d/root" "$LAB_APT/cache/archives"
	rm -rf "$LAB_APT/cache/archives"
}

# lab_xen_tools VERSION: sets XEN_ROOT, Debian's Xen tools and all they need.
lab_xen_tools() {
	local version=$1 d
	LAB_XEN_TOOLS_KEY=$version-2
	d=$CACHE/xen-tools-$LAB_XEN_TOOLS_KEY
	XEN_ROOT=$d/root
	# the same lock as for other packages: they are downloaded to one place
	lab_make packages "$d" lab_xen_tools_make "$d" "$version"
}

lab_xen_image_build() {
	local d=$1 version=$2 guest_kernel=$3 t
	t=$d/tree
	lab_need_packages cpio binutils xz-utils
	lab_expire 'xen-image-*'
	rm -rf "$d"
	mkdir -p "$t/domu" "$t/perf" "$t/dom0/guest"

	say "building the images of dom0 and its guests"
	lab_debian "$guest_kernel"
	lab_busybox "$t/domu"
	cp -a "$LAB/image/guest/." "$LAB/image/domu/." "$t/domu/"
	lab_cpio "$t/domu" "$d/base.cpio"
	# shellcheck disable=SC2086
	lab_take "$t/perf" $LAB_PROGRAMS
	lab_cpio "$t/perf" "$d/perf.cpio"
	cp "$VMLINUX" "$t/dom0/guest/vmlinux"

	lab_debian "$(lab_xen_kernel "$version")"
	lab_depmod
	lab_busybox "$t/dom0"
	# shellcheck disable=SC2086
	lab_take "$t/dom0" $LAB_PROGRAMS
	# shellcheck disable=SC2046
	DEB_ROOT=$XEN_ROOT lab_take "$t/dom0" $(lab_xen_programs "$version")
	# threads that end abort without it
	cp -L "$XEN_ROOT"/lib/x86_64-linux-gnu/libgcc_s.so.1 \
		"$t/dom0/usr/lib/x86_64-linux-gnu/"
	mkdir -p "$t/dom0/usr/lib/xen-$version/bin"
	ln -s /usr/bin/libxl-save-helper "$t/dom0/usr/lib/xen-$version/bin/"
	lab_modules "$t/dom0" dom0.order xen-evtchn xen-privcmd xen-gntdev \
		xen-gntalloc xenfs
	cp -a "$LAB/image/dom0/." "$t/dom0/"
	ln "$d/base.cpio" "$d/perf.cpio" "$t/dom0/guest/"
	lab_cpio "$t/dom0" "$d/dom0.cpio"
	rm -rf "$t"
}

# lab_xen_image VERSION GUEST-SERIES: needs lab_xen_tools first.  Sets XEN_IMAGE,
# where dom0.cpio is; leaves lab_debian's variables as they are for dom0's kernel.
lab_xen_image() {
	local version=$1 guest_kernel=$2 key
	lab_debian "$guest_kernel"
	key="$LAB_DEBIAN_KEY $KVER"
	lab_debian "$(lab_xen_kernel "$version")"
	key=$({
		echo "$LAB_DEBIAN_KEY $KVER $key $LAB_XEN_TOOLS_KEY"
		hash_of "$LAB/image" "$LAB/lib/image.sh" "$LAB/lib/xen.sh"
	} | sha256sum | cut -c 1-12)
	XEN_IMAGE=$CACHE/xen-image-$key
	lab_make xen-images "$XEN_IMAGE" lab_xen_image_build "$XEN_IMAGE" "$version" "$guest_kernel"
}
