# shellcheck shell=bash
# A 32 bit guest: Debian's kernel for i386 with its headers, and busybox.  Needs
# lab_debian first.  It is taken from the point release alone, since an update
# of the day does not matter here and another list would.

LAB_I386_LAYOUT=1

lab_i386_download() {
	local d=$1 v headers log=$CACHE/i386.log

	lab_apt_setup bookworm i386
	rm -rf "$d"
	mkdir -p "$d/debs"
	for v in $(lab_apt_cache search --names-only '^linux-image-6\.1\.0-[0-9]+-686$' |
		sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -Vr); do
		headers=linux-headers-$v
		if (cd "$d/debs" && logged "$log" "downloading Debian's kernel $v" \
			lab_apt_get download "linux-image-$v" "$headers" \
			"${headers%-686}-common" busybox-static); then
			printf '%s\n' "$v" >"$d/kver"
			return 0
		fi
		warn "$v does not download, trying an older one"
	done
	die "no Debian 6.1 kernel for i386 could be downloaded"
}

# The ELF image inside the bzImage, uncompressed behind the bzImage's own setup.
lab_i386_bzimage() {
	local d=$1 from=$2 setup bytes
	"$LAB/lib/extract-vmlinux" "$from" >"$d/vmlinux" ||
		die "cannot extract the ELF kernel from $from"
	objcopy -O binary "$d/vmlinux" "$d/image"
	truncate -s %4 "$d/image"
	bytes=$(stat -c %s "$d/image")
	gcc -m32 -c -DBYTES="$bytes" -DWHERE=0x1000000 -o "$d/boot.o" \
		"$LAB/lib/i386-boot.S" || die "i386-boot.S does not compile"
	objcopy -O binary -j .text "$d/boot.o" "$d/boot"
	# setup_sects says how many sectors follow the first
	setup=$(($(od -An -tu1 -j $((0x1f1)) -N 1 "$from") + 1))
	head -c $((setup * 512)) "$from" | cat - "$d/boot" "$d/image" >"$d/vmlinuz"
	rm "$d/vmlinux" "$d/image" "$d/boot.o" "$d/boot"
}

lab_i386_make() {
	local d=$1 deb v
	lab_need_packages build-essential
	lab_expire 'i386-*'
	lab_i386_download "$d"
	v=$(cat "$d/kver")
	mkdir -p "$d/root/usr/lib"
	for deb in "$d"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$d/root" --no-same-owner --wildcards \
				--exclude='./usr/share' --exclude='./lib/modules/*/kernel/[!d]*' \
				--exclude='./lib/modules/*/kernel/drivers/[!f]*' ||
			die "cannot extract $deb"
	done
	rm -rf "$d/debs"
	# as in debian.sh; what runs while a module is built is of this machine
	sed -i "s|/usr/src/|$d/root/usr/src/|g" "$d/root/usr/src/linux-headers-$v/Makefile"
	ln -s "$DEB_ROOT/usr/lib/linux-kbuild-6.1" "$d/root/usr/lib/"
	lab_i386_bzimage "$d" "$d/root/boot/vmlinuz-$v"
}

# lab_i386: sets I386, where vmlinuz and root/ are, and I386_KDIR.
lab_i386() {
	local key
	key=$({ echo "$LAB_I386_LAYOUT $DEB_ROOT"; hash_of "$LAB/lib/i386-boot.S"; } |
		sha256sum | cut -c 1-12)
	I386=$CACHE/i386-$key
	lab_make i386 "$I386" lab_i386_make "$I386"
	I386_KVER=$(cat "$I386/kver")
	I386_KDIR=$I386/root/usr/src/linux-headers-$I386_KVER
}

# lab_i386_module DIR NAME: as lab_module, adds to $i386_modules
lab_i386_module() {
	# shellcheck disable=SC2034 # lab_module's
	local LAB_KERNEL=6.1 KDIR=$I386_KDIR KVER=$I386_KVER modules=()
	lab_module "$@"
	i386_modules+=("${modules[@]}")
}

# lab_i386_image FILE TREE CONFIG PROGRAM...: the initramfs of a guest, collected
# in TREE, with the run's settings in CONFIG, these programs and, if it was built,
# our module
lab_i386_image() {
	local file=$1 t=$2 config=$3 f
	shift 3
	lab_busybox "$t" "$I386/root/bin/busybox"
	cp -a "$LAB/image/guest/." "$t/"
	mkdir -p "$t/modules" "$t"/lab/{bin,modules}
	find "$I386/root/lib/modules" -name qemu_fw_cfg.ko -exec cp {} "$t/modules/" \;
	cp "$config" "$t/lab/config"
	for f in "${i386_modules[@]}"; do
		cp "$f" "$t/lab/modules/"
	done
	for f; do
		install -m 755 "$f" "$t/lab/bin/"
	done
	lab_cpio "$t" "$file"
	truncate -s %4096 "$file" # see lab-guest
}
