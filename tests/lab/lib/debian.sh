# shellcheck shell=bash
# Debian's binaries for the lab: a kernel with the headers that fit it, QEMU's
# microvm binary, perf and busybox, extracted under $CACHE/debian-SERIES-KEY/root
# and never installed.  Of Debian 13 and later the tree has the compiler as well:
# the build tools of its kernels need its libc.

# The series of kernels that there are, and where they are from.
LAB_KERNELS="6.1 6.12 7.3"

# Packages taken with all their dependencies.
LAB_DEB_PACKAGES="linux-perf qemu-system-x86 busybox-static gzip xz-utils coreutils kmod"

# What Debian 12 has of them is taken from the machine, see lab_need_packages.
LAB_DEB_BUILD_PACKAGES="base-files gcc make libc6-dev libelf-dev sparse bash dash
coreutils findutils diffutils sed grep mawk perl zstd tar"

# Count this up when what is made of the packages changes.
LAB_DEB_LAYOUT=2

# lab_kernel_suite SERIES: the release that the tree is of
lab_kernel_suite() {
	case $1 in
	6.1) echo bookworm ;;
	*) echo trixie ;;
	esac
}

# lab_kernel_names SERIES: the versions that there are, the newest first
lab_kernel_names() {
	local pattern
	case $1 in
	6.1) pattern='6\.1\.0-[0-9]+-amd64' ;;
	6.12) pattern='6\.12\.[0-9]+\+deb13(\.[0-9]+)?-amd64' ;;
	# older ones than the newest are pruned soon
	7.3) pattern='7\.[0-9]+\.[0-9]+\+deb13(\.[0-9]+)?-amd64' ;;
	esac
	lab_apt_cache search --names-only "^linux-headers-$pattern\$" |
		cut -d ' ' -f 1 | sed 's/^linux-headers-//' | sort -Vr
}

# lab_kernel_packages VERSION: what the kernel consists of
lab_kernel_packages() {
	local v=$1 kbuild=linux-kbuild-${1%-amd64}
	case $v in
	6.1.*) kbuild=linux-kbuild-6.1 ;;
	7.*) echo "linux-binary-$v linux-modules-$v" ;;
	esac
	case $v in
	6.*) echo "linux-image-$v" ;;
	esac
	echo "linux-headers-$v linux-headers-${v%-amd64}-common $kbuild"
}

lab_debian_download() {
	local d=$1 series=$2 packages=$LAB_DEB_PACKAGES v log=$CACHE/debian.log

	lab_apt_setup "$(lab_kernel_suite "$series")"
	[ "$series" = 6.1 ] || packages+=" $LAB_DEB_BUILD_PACKAGES pahole"
	rm -rf "$d" "$LAB_APT/cache/archives"
	mkdir -p "$d/debs" "$LAB_APT/cache/archives/partial"
	# shellcheck disable=SC2086
	logged "$log" "downloading perf, qemu-system-x86 and their libraries" \
		lab_apt_get -y -d install $packages ||
		die "cannot download $packages"
	mv "$LAB_APT"/cache/archives/*.deb "$d/debs/"

	# Its perf belongs to the kernel; all else is of the release.
	if [ "$series" = 7.3 ]; then
		lab_apt_setup trixie-backports
		rm "$d"/debs/linux-perf_*.deb
		(cd "$d/debs" && logged "$log" "downloading perf of the backports" \
			lab_apt_get download linux-perf) || die "cannot download linux-perf"
	fi
	# The newest kernel whose packages all download.
	for v in $(lab_kernel_names "$series"); do
		# shellcheck disable=SC2046
		if (cd "$d/debs" && logged "$log" "downloading Debian's kernel $v" \
			lab_apt_get download $(lab_kernel_packages "$v")); then
			printf '%s\n' "$v" >"$d/kver"
			break
		fi
		warn "$v does not download, trying an older one"
	done
	[ -s "$d/kver" ] || die "no Debian $series kernel could be downloaded"
}

# lab_extract ROOT DIR: extracts the packages in DIR, base-files first: it has the
# links from /bin and /lib to where they are
lab_extract() {
	local root=$1 dir=$2 deb
	say "extracting $(find "$dir" -name '*.deb' | wc -l) packages"
	for deb in "$dir"/base-files_*.deb "$dir"/*.deb; do
		[ -e "$deb" ] || continue
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$root" --no-same-owner --keep-directory-symlink \
				--exclude='./usr/share/doc' --exclude='./usr/share/man' \
				--exclude='./usr/share/locale' ||
			die "cannot extract $deb"
	done
}

lab_debian_extract() {
	local d=$1 v image
	v=$(cat "$d/kver")

	mkdir -p "$d/root"
	lab_extract "$d/root" "$d/debs"
	rm -rf "$d/debs"
	# what the package's installation would have chosen
	[ ! -e "$d/root/usr/bin/mawk" ] || ln -sf mawk "$d/root/usr/bin/awk"

	# The headers' makefiles name each other by absolute path.
	sed -i "s|/usr/src/|$d/root/usr/src/|g" \
		"$d/root/usr/src/linux-headers-$v/Makefile"

	# PVH wants the ELF image inside the bzImage.
	say "extracting the kernel's ELF image"
	image=$d/root/boot/vmlinuz-$v
	[ -e "$image" ] || image=$d/root/usr/lib/modules/$v/vmlinuz
	# shellcheck disable=SC2046
	"$LAB/lib/extract-vmlinux" "$image" $(DEB_ROOT=$d/root lab_ld_command) \
		"$d/root/usr/bin/zstd" -dc >"$d/vmlinux" ||
		die "cannot extract the ELF kernel from $image"
}

lab_debian_make() {
	rm -rf "$1"
	lab_debian_download "$1" "$2"
	lab_debian_extract "$1"
}

# lab_ld_command: what comes before a program of the tree DEB_ROOT to have it run
# with the tree's libraries
lab_ld_command() {
	echo "$DEB_ROOT/lib64/ld-linux-x86-64.so.2 --library-path" \
		"$DEB_ROOT/lib/x86_64-linux-gnu:$DEB_ROOT/usr/lib/x86_64-linux-gnu"
}

# lab_ld PROGRAM [ARG]...
lab_ld() {
	$(lab_ld_command) "$@"
}

# lab_build COMMAND...: runs COMMAND with the compiler that fits the kernel: this
# machine's for Debian 12, otherwise the tree's, with the tree as its root and
# the cache in it where it is outside.
lab_build() {
	local how=(unshare --mount)
	if [ "$LAB_KERNEL" = 6.1 ]; then
		"$@"
		return
	fi
	[ "$(id -u)" = 0 ] || how=(unshare --mount --map-root-user)
	mkdir -p "$DEB_ROOT$CACHE" "$DEB_ROOT"/{dev,proc,tmp}
	# shellcheck disable=SC2016 # for the shell in there
	"${how[@]}" sh -c 'root=$1 cache=$2
		mount --rbind /dev "$root/dev" &&
			mount --rbind /proc "$root/proc" && mount --bind "$cache" "$root$cache" ||
			exit
		shift 2
		exec env -i PATH=/usr/bin:/usr/sbin LC_ALL=C chroot "$root" "$@"' \
		sh "$DEB_ROOT" "$CACHE" "$@"
}

# lab_debian [SERIES]: make sure that a kernel of this series is there, 6.1 if
# none is named, and all of it.  Sets LAB_KERNEL, DEB_ROOT, KVER, KDIR, VMLINUX.
lab_debian() {
	local series=${1:-6.1} key d
	[[ " $LAB_KERNELS " == *" $series "* ]] ||
		die "there is no kernel $series here, only $LAB_KERNELS"
	key=$(printf '%s %s\n' "$LAB_DEB_LAYOUT" \
		"$LAB_DEB_PACKAGES $LAB_DEB_BUILD_PACKAGES" | sha256sum | cut -c 1-12)
	d=$CACHE/debian-$series-$key
	lab_make packages "$d" lab_debian_make "$d" "$series"
	LAB_KERNEL=$series
	DEB_ROOT=$d/root
	KVER=$(cat "$d/kver")
	KDIR=$DEB_ROOT/usr/src/linux-headers-$KVER
	# shellcheck disable=SC2034
	VMLINUX=$d/vmlinux
	# shellcheck disable=SC2034
	LAB_DEBIAN_KEY=$series-$key
	export KDIR
}
