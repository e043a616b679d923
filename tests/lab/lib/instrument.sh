# shellcheck shell=bash
# The instrument: Debian's QEMU 7.2 with our patch (instrument/*.patch), built
# once into $CACHE/instrument-KEY.  Sets INSTRUMENT, the emulator's path, and
# INSTRUMENT_DATA, its firmware.

# Newest first; the first that downloads is taken.
LAB_QEMU_SOURCES="
1:7.2+dfsg-7+deb12u18
1:7.2+dfsg-7+deb12u17
1:7.2+dfsg-7+deb12u16
1:7.2+dfsg-7+deb12u15
"

LAB_QEMU_BUILD_PACKAGES="build-essential dpkg-dev pkg-config python3 ninja-build meson
libglib2.0-dev libpixman-1-dev libfdt-dev zlib1g-dev xz-utils patch"

LAB_QEMU_CONFIGURE="--target-list=x86_64-softmmu --without-default-features
--enable-tcg --enable-fdt=system --disable-docs --disable-tools
--disable-install-blobs --with-git-submodules=ignore --disable-werror"

lab_instrument_build() {
	local d=$1 p
	# shellcheck disable=SC2086
	lab_need_packages $LAB_QEMU_BUILD_PACKAGES
	rm -rf "$d"
	mkdir -p "$d"
	# shellcheck disable=SC2086
	lab_source "$d/source" qemu '1:7\.2+' $LAB_QEMU_SOURCES
	for p in "$LAB"/instrument/*.patch; do
		logged "$d/patch.log" "applying ${p##*/}" \
			patch -d "$d/source/src" -p1 --no-backup-if-mismatch -i "$p" ||
			die "${p##*/} does not apply"
	done
	mkdir -p "$d/build"
	# shellcheck disable=SC2086
	(cd "$d/build" && logged "$d/configure.log" "configuring the instrument" \
		../source/src/configure $LAB_QEMU_CONFIGURE) ||
		die "QEMU's configure failed"
	logged "$d/build.log" "building the instrument (about 8 CPU minutes, once)" \
		ninja -C "$d/build" qemu-system-x86_64 || die "building the instrument failed"
	mkdir -p "$d/bin"
	cp "$d/build/qemu-system-x86_64" "$d/bin/"
	strip --strip-debug "$d/bin/qemu-system-x86_64"
	cp "$d/source/version" "$d/version"
	rm -rf "$d/source" "$d/build"
}

# lab_instrument: needs lab_debian first (for the firmware).
lab_instrument() {
	local key d
	key=$(printf '%s %s\n' "$LAB_QEMU_SOURCES" "$LAB_QEMU_CONFIGURE" |
		cat - "$LAB"/instrument/*.patch | sha256sum | cut -c 1-12)
	d=$CACHE/instrument-$key
	lab_make instrument "$d" lab_instrument_build "$d"
	# shellcheck disable=SC2034
	INSTRUMENT=$d/bin/qemu-system-x86_64
	# shellcheck disable=SC2034
	INSTRUMENT_DATA="-L $DEB_ROOT/usr/share/seabios -L $DEB_ROOT/usr/share/qemu"
}
