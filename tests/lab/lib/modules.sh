# shellcheck shell=bash
# The project's own modules, built for the lab's kernel from a copy of their
# sources in the cache: the tree stays clean, and a run after an edit builds
# just what changed.  Needs lab_debian first.

lab_module_sources() {
	(cd "$REPO" && find include core "$1" -type f ! -name '*.mod.c' \
		\( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) -print0 |
		sort -z)
}

lab_module_make() {
	local dir=$1 name=$2 copy=$3

	lab_need_packages build-essential libelf1 xz-utils
	lab_expire "module-$name-*"
	rm -rf "$copy"
	mkdir -p "$copy"
	lab_module_sources "$dir" | tar -c -C "$REPO" --null -T - | tar -x -C "$copy"
	logged "$copy/make.log" "building $name.ko for $KVER" \
		make -C "$copy/$dir" "KDIR=$KDIR" || {
		grep -E 'error|Error' "$copy/make.log" | head -n 20 >&2
		die "$name.ko does not build, see $copy/make.log"
	}
	strip --strip-debug -o "$copy/$name.ko" "$copy/$dir/$name.ko"
}

# lab_module DIR NAME: builds NAME.ko from DIR; adds its path to $modules.
lab_module() {
	local dir=$1 name=$2 key copy

	[ -e "$REPO/$dir/Makefile" ] || die "there is no module in $dir"
	key=$({
		echo "$KDIR"
		lab_module_sources "$dir" | (cd "$REPO" && xargs -0 sha256sum)
	} | sha256sum | cut -c 1-12)
	copy=$CACHE/module-$name-$key
	lab_make "$name" "$copy" lab_module_make "$dir" "$name" "$copy"
	modules+=("$copy/$name.ko")
}
