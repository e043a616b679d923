# shellcheck shell=bash
# What every script of the lab shares: where things are, what is printed, and
# how Debian packages come into the cache.  Source it; it defines functions and
# sets LAB, REPO and CACHE.  Nothing here changes the machine except
# lab_need_packages, which installs missing build tools with apt-get.

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # for those who source this
REPO=$(cd "$LAB/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/pvpmu

# Exit status of everything here when the lab itself is what failed.
LAB_FAILED=125

LAB_T0=${LAB_T0:-$EPOCHSECONDS}
export LAB_T0

# say TEXT...: a line of progress on stderr.
say() {
	[ -n "${LAB_QUIET:-}" ] && return 0
	printf '[%3ds] %s\n' "$((EPOCHSECONDS - LAB_T0))" "$*" >&2
}

# nap SECONDS: sleep without a process.  Waiting must not take the CPU from the
# emulator that is waited for, and here each process costs it milliseconds.
nap() {
	[ -n "${LAB_NEVER:-}" ] || {
		exec {LAB_NEVER}<> <(:)
	}
	read -r -t "$1" -u "$LAB_NEVER" || true
}

# warn TEXT...: like say, but also when quiet.
warn() { printf 'lab: %s\n' "$*" >&2; }

# die TEXT...: the lab failed (not the command it ran).
die() {
	printf 'lab: error: %s\n' "$*" >&2
	exit "$LAB_FAILED"
}

# logged FILE TEXT COMMAND...: run COMMAND with its output in FILE; say TEXT and
# a sign of life every 30 seconds; show the end of FILE when it fails.
logged() {
	local log=$1 text=$2 pid rc=0 began=$EPOCHSECONDS told=$EPOCHSECONDS
	shift 2
	say "$text"
	"$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		nap 0.2
		if [ $((EPOCHSECONDS - told)) -ge 30 ]; then
			told=$EPOCHSECONDS
			say "  ... $text ($((told - began)) s): $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-60)"
		fi
	done
	wait "$pid" || rc=$?
	if [ "$rc" != 0 ]; then
		tail -n 30 "$log" >&2
		warn "$text: failed with status $rc, see $log"
	fi
	return "$rc"
}

# hash_of FILE...: one hash over the names and contents of the files (of all
# files below them for directories).
hash_of() {
	local f
	for f; do
		if [ -d "$f" ]; then
			(cd "$f" && find . -type f -print0 | sort -z | xargs -0r sha256sum)
		else
			sha256sum <"$f"
		fi
	done | sha256sum | cut -c 1-16
}

# lab_need_packages PACKAGE...: install with apt-get what is not there.
lab_need_packages() {
	local p missing=() sudo=()
	for p; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' ||
			missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "not root and no sudo; please install: ${missing[*]}"
		sudo=(sudo)
	fi
	mkdir -p "$CACHE"
	# lists may be absent or old: refresh them once, then install
	logged "$CACHE/apt-update.log" "apt-get update" \
		"${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 update ||
		warn "apt-get update failed, going on with the lists there are"
	logged "$CACHE/apt-install.log" "apt-get install ${missing[*]}" \
		"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y \
		-o DPkg::Lock::Timeout=300 install --no-install-recommends \
		"${missing[@]}" || die "apt-get could not install: ${missing[*]}"
}

# A private apt: its own lists, its own (empty) status, so that it needs no
# root, touches nothing on the machine and always answers with whole closures.
# PVPMU_DEBIAN_MIRROR and PVPMU_DEBIAN_SECURITY name other mirrors.
# lab_apt_setup [SUITE [ARCH]]: what lab_apt_get and lab_apt_cache speak of from
# now on: bookworm and amd64, or another suite by itself
LAB_APT_UPDATED=' '
# shellcheck disable=SC2120
lab_apt_setup() {
	local suite=${1:-bookworm} arch=${2:-amd64} t s
	local d=$CACHE/apt-$suite-$arch
	local mirror=${PVPMU_DEBIAN_MIRROR:-http://deb.debian.org/debian}
	local security=${PVPMU_DEBIAN_SECURITY:-http://deb.debian.org/debian-security}
	local suites=("$mirror $suite")

	command -v apt-get >/dev/null || die "this lab needs Debian's apt-get"
	# of another architecture the point release does, without its updates
	case $arch-$suite in
	*-*-*) ;;
	amd64-*) suites+=("$mirror $suite-updates" "$security $suite-security") ;;
	esac
	# shellcheck disable=SC2034 # for those who source this
	LAB_APT=$d
	LAB_APT_OPTIONS=(
		-o "Dir::Etc::sourcelist=$d/sources.list"
		-o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null
		-o "Dir::State::lists=$d/lists"
		-o "Dir::State::status=$d/status"
		-o "Dir::Cache=$d/cache"
		-o Debug::NoLocking=1
		-o "APT::Sandbox::User=$(id -un)"
		-o "APT::Architecture=$arch"
		-o "APT::Architectures::=$arch"
		-o APT::Install-Recommends=false
		-o Acquire::Languages=none
		-o Acquire::Retries=3
	)
	[[ $LAB_APT_UPDATED != *" $d "* ]] || return 0
	mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
	(
		flock 8
		: >"$d/status"
		for t in deb deb-src; do
			[ "$arch" = amd64 ] || [ "$t" = deb ] || continue
			for s in "${suites[@]}"; do
				printf '%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s main\n' \
					"$t" "$s"
			done
		done >"$d/sources.list"
		logged "$d/update.log" "reading the package lists of Debian's $suite" \
			apt-get "${LAB_APT_OPTIONS[@]}" update 8>&-
	) 8>"$d/lock" || die "cannot read the package lists of Debian's $suite"
	LAB_APT_UPDATED+="$d "
}

lab_apt_get() { apt-get "${LAB_APT_OPTIONS[@]}" "$@"; }
lab_apt_cache() { apt-cache "${LAB_APT_OPTIONS[@]}" "$@"; }

# lab_source DIR PACKAGE SERIES VERSION...: extracts PACKAGE's source into
# DIR/src, of the first VERSION that downloads, or else of the newest whose
# number begins with the regular expression SERIES; DIR/version says which.
lab_source() {
	local dir=$1 package=$2 series=$3 v newest log=$CACHE/source-$2.log
	shift 3
	lab_apt_setup
	newest=$(lab_apt_cache showsrc --only-source "$package" 2>/dev/null |
		sed -n "s/^Version: \($series.*\)\$/\1/p" | sort -Vr | head -n 1)
	for v in "$@" $newest; do
		rm -rf "$dir"
		mkdir -p "$dir"
		if (cd "$dir" && logged "$log" "downloading the source $package $v" \
			lab_apt_get source --download-only "$package=$v"); then
			(cd "$dir" && logged "$log" "extracting it" \
				dpkg-source --no-check -x ./*.dsc src) ||
				die "cannot extract the source of $package $v"
			printf '%s\n' "$v" >"$dir/version"
			return 0
		fi
		warn "the source $package $v does not download, trying another"
	done
	die "no source of $package could be downloaded"
}

# lab_orig_source DIR SUITE PACKAGE SERIES: extracts the upstream tarball of the
# newest source of PACKAGE in SUITE, whose version begins with the regular
# expression SERIES, into DIR/src; DIR/version says which.  Debian's own part is
# not needed, and of older versions it may be gone.  Fails if it does not download.
lab_orig_source() {
	local dir=$1 suite=$2 package=$3 series=$4 v log=$CACHE/source-$3.log orig
	lab_apt_setup "$suite"
	v=$(lab_apt_cache showsrc --only-source "$package" 2>/dev/null |
		sed -n "s/^Version: \($series.*\)\$/\1/p" | sort -Vr | head -n 1)
	[ -n "$v" ] || return 1
	rm -rf "$dir"
	mkdir -p "$dir/src"
	say "downloading the source $package $v"
	(cd "$dir" && lab_apt_get source --download-only "$package=$v") >"$log" 2>&1 || true
	orig=$(find "$dir" -maxdepth 1 -name "*.orig.tar.xz")
	if ! [ -s "$orig" ] || ! lab_apt_cache showsrc --only-source "$package" |
		grep -qF " $(sha256sum <"$orig" | cut -d ' ' -f 1) "; then
		warn "the source $package $v does not download"
		return 1
	fi
	tar -x -C "$dir/src" --no-same-owner --strip-components=1 -f "$orig" ||
		die "cannot extract $orig"
	printf '%s\n' "$v" >"$dir/version"
}

# lab_make NAME DIR FUNCTION [ARG]...: have FUNCTION make DIR, unless it is there
# complete; one process at a time for each NAME.  Call it where errexit holds.
lab_make() {
	local name=$1 dir=$2
	shift 2
	if [ ! -e "$dir/complete" ]; then
		mkdir -p "$CACHE"
		(
			if ! flock -n 8; then
				say "another run is preparing the $name; waiting for it"
				flock 8
			fi
			if [ ! -e "$dir/complete" ]; then
				"$@" 8>&-
				touch "$dir/complete"
			fi
		) 8>"$CACHE/lock-$name"
	fi
	# what was not used for two weeks may go
	touch "$dir/complete"
}

# lab_expire PATTERN: remove what matches in the cache and was not used lately.
lab_expire() {
	local d
	for d in "$CACHE"/$1; do
		[ -d "$d" ] || continue
		if [ ! -e "$d/complete" ] || [ -n "$(find "$d/complete" -mtime +14)" ]; then
			# without the mark it may be what someone makes right now
			[ -n "$(find "$d" -maxdepth 0 -mmin +600)" ] && rm -rf "$d"
		fi
	done
	return 0
}

# lab_lock: one preparation at a time per cache, for what lab_make does not make.
lab_lock() {
	mkdir -p "$CACHE"
	exec 9>"$CACHE/lock"
	if ! flock -n 9; then
		say "another run is preparing the lab; waiting for it"
		flock 9
	fi
}
lab_unlock() { exec 9>&-; }
