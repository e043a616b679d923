# shellcheck shell=bash
# Debian's binaries for the lab: a kernel with the headers that fit it, QEMU's
# microvm binary, perf and busybox, extracted under $CACHE/debian-KEY/root and
# never installed.  Sets DEB_ROOT, KVER, KDIR, VMLINUX.

# Packages taken with all their dependencies.
LAB_DEB_PACKAGES="linux-perf qemu-system-x86 busybox-static gzip xz-utils coreutils kmod"

# Count this up when what is made of the packages changes.
LAB_DEB_LAYOUT=1

lab_debian_download() {
	local d=$1 v image headers common kbuild log=$CACHE/debian.log

	lab_apt_setup
	rm -rf "$d" "$LAB_APT/cache/archives"
	mkdir -p "$d/debs" "$LAB_APT/cache/archives/partial"
	# shellcheck disable=SC2086
	logged "$log" "downloading perf, qemu-system-x86 and their libraries" \
		lab_apt_get -y -d install $LAB_DEB_PACKAGES ||
		die "cannot download $LAB_DEB_PACKAGES"
	mv "$LAB_APT"/cache/archives/*.deb "$d/debs/"

	# The newest 6.1 kernel whose image and headers both download.
	for image in $(lab_apt_cache search --names-only \
		'^linux-image-6\.1\.0-[0-9]+-amd64$' | cut -d ' ' -f 1 | sort -Vr); do
		v=${image#linux-image-}
		headers=linux-headers-$v
		common=linux-headers-${v%-amd64}-common
		kbuild=linux-kbuild-6.1
		if (cd "$d/debs" && logged "$log" "downloading Debian's kernel $v" \
			lab_apt_get download "$image" "$headers" "$common" "$kbuild"); then
			printf '%s\n' "$v" >"$d/kver"
			break
		fi
		warn "$v does not download, trying an older one"
	done
	[ -s "$d/kver" ] || die "no Debian 6.1 kernel could be downloaded"
}

lab_debian_extract() {
	local d=$1 deb v
	v=$(cat "$d/kver")

	mkdir -p "$d/root"
	say "extracting $(find "$d/debs" -name '*.deb' | wc -l) packages"
	for deb in "$d"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$d/root" --no-same-owner \
				--exclude='./usr/share/doc' --exclude='./usr/share/man' \
				--exclude='./usr/share/locale' ||
			die "cannot extract $deb"
	done
	rm -rf "$d/debs"

	# The headers' makefiles name each other by absolute path.
	sed -i "s|/usr/src/|$d/root/usr/src/|g" \
		"$d/root/usr/src/linux-headers-$v/Makefile"

	# PVH wants the ELF image inside the bzImage.
	say "extracting the kernel's ELF image"
	"$LAB/lib/extract-vmlinux" "$d/root/boot/vmlinuz-$v" >"$d/vmlinux" ||
		die "cannot extract the ELF kernel from vmlinuz-$v"
}

lab_debian_make() {
	rm -rf "$1"
	lab_debian_download "$1"
	lab_debian_extract "$1"
}

# lab_debian: make sure all of it is there; sets the variables above.
lab_debian() {
	local key d
	key=$(printf '%s %s\n' "$LAB_DEB_LAYOUT" "$LAB_DEB_PACKAGES" |
		sha256sum | cut -c 1-12)
	d=$CACHE/debian-$key
	lab_make packages "$d" lab_debian_make "$d"
	DEB_ROOT=$d/root
	KVER=$(cat "$d/kver")
	KDIR=$DEB_ROOT/usr/src/linux-headers-$KVER
	# shellcheck disable=SC2034
	VMLINUX=$d/vmlinux
	# shellcheck disable=SC2034
	LAB_DEBIAN_KEY=$key
	export KDIR
}
