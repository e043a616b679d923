# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120 # of all parts of ./test
# What ./demo promises.

kvm_demo() {
	demo_interface kvm lab-host
	demo_refuses "$job/a demonstration that is not there" nowhere
}

# The demonstration on Xen as it comes: perf in a PVH and in a PV guest.
xen_demo() {
	local rc=0
	"$root/demo" xen >"$scratch/out" 2>"$scratch/err" || rc=$?
	if [ "$rc" = 0 ] && [ "$(grep -c ' instructions ' "$scratch/out")" -ge 2 ]; then
		pass "$job/perf in a PVH and in a PV guest"
	else
		tail -n 30 "$scratch/out" "$scratch/err" | show
		fail "$job/perf in a PVH and in a PV guest: status $rc"
	fi
	demo_interface xen lab-dom0 --guest pv
	demo_refuses "$job/a kind of guest that is not there" xen --guest bogus
}

# demo_interface WHAT HOST [OPTION]...: added files, arguments as they were, the exit
# status, a command on HOST beside the guest.
demo_interface() {
	local what=$1 host=$2 rc=0 out
	shift 2
	cat >"$scratch/args" <<'END'
#!/bin/sh
for a; do printf '<%s>\n' "$a"; done
sleep 2
printf 'no newline at the end'
exit 42
END
	cat >"$scratch/on-host" <<'END'
#!/bin/sh
echo "host runs $(hostname) $1"
END
	chmod +x "$scratch/args" "$scratch/on-host"
	# shellcheck disable=SC2016
	out=$("$root/demo" "$what" "$@" --add "$scratch/args" --add "$scratch/on-host" \
		--host-run 'on-host "a  b"' -- \
		args 'a  b' "it's" '$HOME' '' 'x"y' 2>"$scratch/err") || rc=$?
	if [ "$rc" = 42 ]; then
		pass "$job/exit status of the command: $rc"
	else
		show "$scratch/err"
		fail "$job/exit status of the command: $rc, expected 42"
	fi
	if [ "$(grep -v '^===' <<<"$out")" = "<a  b>
<it's>
<\$HOME>
<>
<x\"y>
no newline at the end" ]; then
		pass "$job/arguments and output arrive as they are"
	else
		show <<<"$out"
		fail "$job/arguments and output arrive as they are"
	fi
	if grep -q "host runs $host a  b" "$scratch/err"; then
		pass "$job/--host-run runs on the host"
	else
		tail -n 20 "$scratch/err" | show
		fail "$job/--host-run runs on the host"
	fi
}

# demo_refuses NAME ARG...: a wrong command line
demo_refuses() {
	local name=$1 rc=0
	shift
	"$root/demo" "$@" >/dev/null 2>&1 || rc=$?
	if [ "$rc" = 2 ]; then
		pass "$name"
	else
		fail "$name: status $rc, expected 2"
	fi
}
