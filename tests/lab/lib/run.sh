# shellcheck shell=bash
# One run of the emulated machine: its directory, its four serial ports (0 log,
# 1 output, 2 control, 3 files), and what is made of them in the end.  Needs
# common.sh; the script sets keep, check and timeout.

# lab_run_begin: sets run, a directory that goes (or is kept in $keep) at exit.
lab_run_begin() {
	run=$(mktemp -d "${TMPDIR:-/tmp}/pvpmu-lab.XXXXXX")
	emulator=
	trap lab_run_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

lab_run_cleanup() {
	local rc=$?
	trap - EXIT
	if [ -n "$emulator" ] && kill -0 "$emulator" 2>/dev/null; then
		kill -9 "$emulator" 2>/dev/null || true
	fi
	rm -rf "$run/tree" "$run/initrd"
	if [ -n "${keep:-}" ]; then
		mkdir -p "$keep"
		cp -a "$run/." "$keep/"
	fi
	rm -rf "$run"
	exit "$rc"
}

# lab_quoted ARG...: for busybox's shell, which does not know bash's $'...'
lab_quoted() {
	local a
	for a; do printf "'%s' " "${a//\'/\'\\\'\'}"; done
}

# lab_said_done: the machine has said so
lab_said_done() {
	local line
	while read -r line; do
		[[ $line != done* ]] || return 0
	done <"$run/ctl"
	return 1
}

# lab_cpu_seconds PID: CPU time that a process and its threads took
lab_cpu_seconds() {
	local fields hertz=100
	read -r -a fields 2>/dev/null <"/proc/$1/stat" || return 0
	# the name has no blank: it is the emulator's
	echo $(((fields[13] + fields[14]) / hertz))
}

# How long the machine may show no sign of life: seconds of the emulator's CPU
# time, so that a busy machine below does not matter, or of the clock, for an
# emulator that does nothing.
LAB_SILENCE_CPU=180
LAB_SILENCE_CLOCK=900

# lab_watch: until the machine said "done"; dies when it hangs or takes too long
lab_watch() {
	local last=0 size cpu looked=$EPOCHSECONDS
	local quiet_cpu=0 quiet_since=$EPOCHSECONDS
	until lab_said_done; do
		nap 0.1
		if ! kill -0 "$emulator" 2>/dev/null; then
			! lab_said_done || break
			tail -n 40 "$run/emulator.log" "$run/host.log" >&2
			die "the emulated machine ended too early"
		fi
		[ $((EPOCHSECONDS - looked)) -ge 5 ] || continue
		looked=$EPOCHSECONDS
		cpu=$(lab_cpu_seconds "$emulator")
		size=$(cat "$run"/{ctl,host.log,output,files.cpio} 2>/dev/null | wc -c)
		if [ "$size" != "$last" ]; then
			last=$size quiet_since=$looked quiet_cpu=${cpu:-0}
		elif [ $((${cpu:-0} - quiet_cpu)) -gt "$LAB_SILENCE_CPU" ] ||
			[ $((looked - quiet_since)) -gt "$LAB_SILENCE_CLOCK" ]; then
			tail -n 20 "$run/host.log" >&2
			die "the emulated machine hung: no sign of life"
		fi
		if [ "${cpu:-0}" -gt "${timeout:?}" ]; then
			tail -n 20 "$run/host.log" >&2
			die "the run did not end within $timeout seconds of CPU time"
		fi
	done
}

# lab_run COMMAND...: runs the emulator; sets rc to the status that the machine
# sent.  Dies when the machine did not come to its end.  Its output goes to a file,
# which is shown as it grows: the end of a pipe would make the machine wait when
# nobody reads, and what it does would depend on that.
lab_run() {
	local shower
	: >"$run/ctl"
	: >"$run/output"
	"$@" >"$run/emulator.log" 2>&1 </dev/null &
	emulator=$!
	tail -c +1 -f -s 0.1 --pid="$emulator" "$run/output" &
	shower=$!
	lab_watch
	for _ in {1..50}; do
		kill -0 "$emulator" 2>/dev/null || break
		nap 0.1
	done
	kill -9 "$emulator" 2>/dev/null || true
	wait "$emulator" 2>/dev/null || true
	wait "$shower" || true
	emulator=
	mkdir -p "$run/files"
	(cd "$run/files" && cpio -idm --quiet <"$run/files.cpio") ||
		warn "no files came back from the machine"
	rm -f "$run/files.cpio"
	rc=$(sed -n 's/^exit //p' "$run/ctl" | tail -n 1)
	[ -n "$rc" ] || rc=$LAB_FAILED
	if [ -s "$run/files/host-run.txt" ]; then
		say "the host's command wrote:"
		cat "$run/files/host-run.txt" >&2
	fi
}

lab_show_logs() {
	local f
	for f in "$run"/host.log "$run"/files/host.dmesg "$run"/files/*/log; do
		[ -s "$f" ] || continue
		printf -- '--- %s\n' "${f#"$run"/files/}" >&2
		tail -n 40 "$f" >&2
	done
}

# lab_check_logs: sets rc to LAB_FAILED for a log that is not clean.
lab_check_logs() {
	grep -v '^#' "$LAB/log-problems" >"$run/problems"
	grep -v '^#' "$LAB/log-allowed" >"$run/allowed" || true
	# the host's own log comes over its console too, should it have died
	if cat "$run/host.log" "$run"/files/host.dmesg "$run"/files/*/log 2>/dev/null |
		tr -d '\r' | grep -a -i -E -f "$run/problems" |
		{ if [ -s "$run/allowed" ]; then grep -a -v -E -f "$run/allowed"; else cat; fi; } \
			>"$run/found" && [ -s "$run/found" ]; then
		lab_show_logs
		warn "logs of this run are not clean:"
		sort "$run/found" | uniq -c | head -n 20 >&2
		[ "$rc" != 0 ] || rc=$LAB_FAILED
	fi
}

# lab_run_end: the last word of a run
lab_run_end() {
	[ -z "${check:-}" ] || lab_check_logs
	if [ "$rc" = "$LAB_FAILED" ] && [ ! -s "$run/found" ]; then
		lab_show_logs
	fi
	say "done, status $rc"
	exit "$rc"
}
