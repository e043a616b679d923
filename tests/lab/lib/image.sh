# shellcheck shell=bash
# The initramfs images of the KVM host (L1) and its guests (L2), built from
# lab_debian's files into $CACHE/image-KEY.  Sets IMAGE, the directory:
# host.cpio (with guest/{vmlinux,base.cpio,perf.cpio} inside).  The two may have
# kernels of different series, each with what is of its release.

# Real programs that both levels have, beside busybox and perf.
LAB_PROGRAMS="usr/bin/perf usr/bin/xz bin/gzip usr/bin/sha256sum usr/bin/sort"

# lab_take DIR PATH...: copy programs and the libraries they need into DIR.
lab_take() {
	local dir=$1 p f
	shift
	for p; do
		[ -e "$DEB_ROOT/$p" ] || die "$p is not in the Debian packages"
		mkdir -p "$dir/usr/bin"
		cp -L "$DEB_ROOT/$p" "$dir/usr/bin/"
		lab_ld --list "$DEB_ROOT/$p" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'
	done | sort -u | while read -r f; do
		case $f in
		*/ld-linux-x86-64.so.2) ;;
		*)
			mkdir -p "$dir/usr/lib/x86_64-linux-gnu"
			cp -L "$f" "$dir/usr/lib/x86_64-linux-gnu/"
			;;
		esac
	done
	mkdir -p "$dir/lib64" "$dir/etc"
	cp -L "$DEB_ROOT/lib64/ld-linux-x86-64.so.2" "$dir/lib64/"
	echo /usr/lib/x86_64-linux-gnu >"$dir/etc/ld.so.conf"
}

# lab_modules DIR ORDER MODULE...: copy modules with what they depend on to
# DIR/modules, stripped, and write the order to load them in to DIR/modules/ORDER.
lab_modules() {
	local dir=$1 order=$2 m f
	shift 2
	mkdir -p "$dir/modules"
	: >"$dir/modules/$order"
	for m; do
		lab_ld --argv0 modprobe "$DEB_ROOT/bin/kmod" -d "$DEB_ROOT" \
			-S "$KVER" --show-depends "$m" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | while read -r f; do
		m=${f##*/}
		m=${m%.xz}
		grep -qx "$m" "$dir/modules/$order" && continue
		case $f in
		*.xz) xz -dc "$f" >"$dir/modules/$m" && strip --strip-debug "$dir/modules/$m" ;;
		*) strip --strip-debug -o "$dir/modules/$m" "$f" ;;
		esac || die "cannot unpack $f"
		echo "$m" >>"$dir/modules/$order"
	done
	[ -s "$dir/modules/$order" ] || die "no modules for $*"
}

# lab_busybox DIR [BINARY]: a root directory with busybox, or one of another
# architecture, and what all images have
lab_busybox() {
	local dir=$1 bb=$DEB_ROOT/bin/busybox a
	mkdir -p "$dir"/{bin,sbin,proc,sys,dev,tmp,run,root,etc,lab,usr/bin,usr/sbin}
	cp "${2:-$bb}" "$dir/bin/"
	for a in $("$bb" --list-full); do
		case $a in
		usr/bin/* | usr/sbin/* | bin/* | sbin/*) a=/bin/${a##*/} ;;
		*) a=/$a ;;
		esac
		[ -e "$dir$a" ] || ln -s busybox "$dir$a"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/etc/passwd"
	cp -a "$LAB/image/all/." "$dir/"
}

# lab_cpio DIR FILE: an uncompressed archive (unpacking is what costs time).  All
# times are one moment: the kernel finds the archive's bytes in its early boot, and
# what it executes there must not depend on when the archive was made.
lab_cpio() {
	find "$1" -exec touch -h -d @1767225600 {} +
	(cd "$1" && find . -mindepth 1 -print0 | sort -z |
		cpio --null -o -H newc -R 0:0 --reproducible --quiet) >"$2"
}

# what kmod is to find modules by
lab_depmod() {
	lab_ld --argv0 depmod "$DEB_ROOT/bin/kmod" -b "$DEB_ROOT" "$KVER"
}

lab_image_build() {
	local d=$1 host_kernel=$2 guest_kernel=$3 t
	t=$d/tree
	lab_need_packages cpio binutils xz-utils
	lab_expire 'image-*'
	rm -rf "$d"
	mkdir -p "$t/guest" "$t/perf" "$t/host/guest"

	say "building the guest's image"
	lab_debian "$guest_kernel"
	lab_depmod
	lab_busybox "$t/guest"
	cp -a "$LAB/image/guest/." "$t/guest/"
	lab_modules "$t/guest" guest.order qemu_fw_cfg
	lab_cpio "$t/guest" "$d/base.cpio"
	# shellcheck disable=SC2086
	lab_take "$t/perf" $LAB_PROGRAMS
	lab_cpio "$t/perf" "$d/perf.cpio"
	cp "$VMLINUX" "$t/host/guest/vmlinux"

	say "building the host's image"
	lab_debian "$host_kernel"
	lab_depmod
	lab_busybox "$t/host"
	cp -a "$LAB/image/host/." "$t/host/"
	# shellcheck disable=SC2086
	lab_take "$t/host" $LAB_PROGRAMS
	lab_take "$t/host" usr/bin/qemu-system-x86_64-microvm
	lab_modules "$t/host" kvm.order kvm-amd
	mkdir -p "$t/host/usr/share/qemu"
	cp -L "$DEB_ROOT"/usr/share/seabios/bios-microvm.bin \
		"$DEB_ROOT"/usr/share/qemu/{linuxboot_dma,kvmvapic,pvh}.bin \
		"$t/host/usr/share/qemu/"
	ln "$d/base.cpio" "$d/perf.cpio" "$t/host/guest/"
	lab_cpio "$t/host" "$d/host.cpio"
	rm -rf "$t"
}

# lab_image [HOST-SERIES [GUEST-SERIES]]: of hosts and guests with these kernels;
# leaves lab_debian's variables as they are for the host's.
lab_image() {
	local host_kernel=${1:-6.1} guest_kernel=${2:-${1:-6.1}} key
	lab_debian "$guest_kernel"
	key="$LAB_DEBIAN_KEY $KVER"
	lab_debian "$host_kernel"
	key=$({ echo "$LAB_DEBIAN_KEY $KVER $key"; hash_of "$LAB/image" "$LAB/lib/image.sh"; } |
		sha256sum | cut -c 1-12)
	IMAGE=$CACHE/image-$key
	lab_make images "$IMAGE" lab_image_build "$IMAGE" "$host_kernel" "$guest_kernel"
}
