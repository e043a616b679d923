# shellcheck shell=bash
# The instrument: Debian's QEMU 10.0 with our patches (instrument/*.patch), built
# once into $CACHE/instrument-KEY.  Sets INSTRUMENT, the emulator's path, and
# INSTRUMENT_DATA, its firmware.

# Suites that have a source of QEMU 10.0; the first that downloads is taken.
LAB_QEMU_SUITES="bookworm-backports trixie"

LAB_QEMU_BUILD_PACKAGES="build-essential dpkg-dev pkg-config python3 python3-venv ninja-build
libglib2.0-dev libpixman-1-dev libfdt-dev zlib1g-dev xz-utils patch"

LAB_QEMU_CONFIGURE="--target-list=x86_64-softmmu --without-default-features
--without-default-devices --with-devices-x86_64=lab --enable-tcg --enable-fdt=system
--disable-docs --disable-tools --disable-download --disable-install-blobs
--disable-werror --disable-debug-info --disable-qom-cast-debug"

# lab_instrument_source DIR: extracts the unpatched source into DIR/src
lab_instrument_source() {
	local d=$1 suite
	for suite in $LAB_QEMU_SUITES; do
		if lab_orig_source "$d" "$suite" qemu '1:10\.0'; then
			return 0
		fi
	done
	die "no source of QEMU 10.0 could be downloaded"
}

# lab_instrument_python DIR: a Python in DIR that has the meson that QEMU asks
# for; Debian 12's own is too old.
lab_instrument_python() {
	local d=$1 site
	lab_apt_setup bookworm-backports
	(mkdir -p "$d.deb" && cd "$d.deb" &&
		logged "$d.log" "downloading meson" lab_apt_get download meson) ||
		die "cannot download meson"
	dpkg-deb -x "$d.deb"/meson_*.deb "$d.deb/root"
	/usr/bin/python3 -m venv --without-pip "$d" || die "python3 -m venv failed"
	site=$(echo "$d"/lib/python3.*/site-packages)
	cp -r "$d.deb"/root/usr/lib/python3/dist-packages/* "$site/"
}

lab_instrument_build() {
	local d=$1 p
	# shellcheck disable=SC2086
	lab_need_packages $LAB_QEMU_BUILD_PACKAGES
	rm -rf "$d"
	mkdir -p "$d"
	lab_instrument_source "$d/source"
	lab_instrument_python "$d/python"
	for p in "$LAB"/instrument/*.patch; do
		logged "$d/patch.log" "applying ${p##*/}" \
			patch -d "$d/source/src" -p1 --no-backup-if-mismatch -i "$p" ||
			die "${p##*/} does not apply"
	done
	mkdir -p "$d/build"
	# shellcheck disable=SC2086
	(cd "$d/build" && logged "$d/configure.log" "configuring the instrument" \
		../source/src/configure "--python=$d/python/bin/python3" $LAB_QEMU_CONFIGURE) ||
		die "QEMU's configure failed"
	logged "$d/build.log" "building the instrument (about 8 CPU minutes, once)" \
		ninja -C "$d/build" qemu-system-x86_64 || die "building the instrument failed"
	mkdir -p "$d/bin"
	cp "$d/build/qemu-system-x86_64" "$d/bin/"
	cp "$d/source/version" "$d/version"
	rm -rf "$d/source" "$d/build" "$d"/python*
}

# lab_instrument: needs lab_debian first (for the firmware).
lab_instrument() {
	local key d
	key=$(printf '%s %s\n' "$LAB_QEMU_SUITES" "$LAB_QEMU_CONFIGURE" |
		cat - "$LAB"/instrument/*.patch | sha256sum | cut -c 1-12)
	d=$CACHE/instrument-$key
	lab_make instrument "$d" lab_instrument_build "$d"
	# shellcheck disable=SC2034
	INSTRUMENT=$d/bin/qemu-system-x86_64
	# shellcheck disable=SC2034
	INSTRUMENT_DATA="-L $DEB_ROOT/usr/share/seabios -L $DEB_ROOT/usr/share/qemu"
}
