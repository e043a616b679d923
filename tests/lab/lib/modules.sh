# shellcheck shell=bash
# The project's own modules, built for the lab's kernel from a copy of their
# sources in the cache: the tree stays clean, and a run after an edit builds
# just what changed.  Needs lab_debian first.

lab_module_sources() {
	(cd "$REPO" && find include core tools/probe* "$1" -type f ! -name '*.mod.c' \
		\( -name '*.[chS]' -o -name Kbuild -o -name Makefile -o -name 'probe*' \) \
		! -name probed.h -print0 | sort -z)
}

lab_module_make() {
	local dir=$1 name=$2 copy=$3 major=$4 file=${3##*/}

	lab_need_packages build-essential libelf1 xz-utils
	lab_expire "module-$name-*"
	file=${file#module-}
	file=${file%-*}.ko
	rm -rf "$copy"
	mkdir -p "$copy"
	lab_module_sources "$dir" | tar -c -C "$REPO" --null -T - | tar -x -C "$copy"
	[ -z "$major" ] ||
		sed -i "s/\(define PVPMU_ABI_MAJOR\) 1u/\1 ${major}u/" "$copy/include/pvpmu/abi.h"
	logged "$copy/make.log" "building $file for $KVER" \
		lab_build make -C "$copy/$dir" "KDIR=$KDIR" || {
		grep -E 'error|Error' "$copy/make.log" | head -n 20 >&2
		die "$name.ko does not build, see $copy/make.log"
	}
	strip --strip-debug -o "$copy/$file" "$copy/$dir/$name.ko"
}

# lab_module DIR NAME [MAJOR]: builds NAME.ko from DIR; adds its path to $modules.
# With MAJOR it says that it is of that version of the ABI, and is NAME-vMAJOR.ko.
lab_module() {
	local dir=$1 name=$2 major=${3:-} file=$2${3:+-v$3} key copy

	[ -e "$REPO/$dir/Makefile" ] || die "there is no module in $dir"
	key=$({
		echo "$KDIR${major:+ $major}"
		lab_module_sources "$dir" | (cd "$REPO" && xargs -0 sha256sum)
	} | sha256sum | cut -c 1-12)
	copy=$CACHE/module-$file-$key
	lab_make "$file" "$copy" lab_module_make "$dir" "$name" "$copy" "$major"
	modules+=("$copy/$file.ko")
}
