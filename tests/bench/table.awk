# Makes tables, or JSON, of the lines of pvbench.
BEGIN {
	FS = "\t"
	split("exits pmu_exits hypercalls host_instructions guest_kernel_instructions guest_user_instructions", figure, " ")
}
$1 == "pv-calls" { pv_calls[$2] = $3 }
NF != 16 { next }
{
	if (!($2 in seen)) {
		seen[$2] = 1
		order[++n] = $2
	}
	have[$1, $2] = 1
	on[$1] = 1
	for (i = 1; i <= 6; i++) {
		median[$1, $2, i] = $(3 + i)
		mean[$1, $2, i] = $(9 + i)
	}
	error[$1, $2] = $16
}
function has(who, name) { return (who, name) in have }
function cell(who, name, column, format) {
	return has(who, name) ? sprintf(format, median[who, name, column]) : "-"
}
function guest(who, name) {
	return has(who, name) ? sprintf("%d", median[who, name, 5] + median[who, name, 6]) : "-"
}
function ratio(who, peer, name, column) {
	if (!has(who, name) || !has(peer, name) || median[peer, name, column] <= 0)
		return "-"
	return sprintf("%.3f", median[who, name, column] / median[peer, name, column])
}
function exits_of(who, name, among) {
	return has(who, name) ? sprintf("%.1f (%.1f)", median[who, name, 1], median[who, name, among]) : "-"
}
function scaled(who, name) {
	return has(who, name) && error[who, name] >= 0 ? sprintf("%.2f", error[who, name]) : "-"
}
function json_values(value, who, name,    i, out) {
	for (i = 1; i <= 6; i++)
		out = out sprintf("%s\"%s\":%s", i > 1 ? "," : "", figure[i], value[who, name, i])
	return "{" out "}"
}
function json_case(name,    who, w, out, labels) {
	labels = split("vpmu none pvpmu pvh pv", who, " ")
	out = "{\"case\":\"" name "\""
	for (w = 1; w <= labels; w++) {
		if (!has(who[w], name))
			continue
		out = out sprintf(",\"%s\":{\"median\":%s,\"mean\":%s", who[w],
				  json_values(median, who[w], name), json_values(mean, who[w], name))
		if (who[w] == "pv" && name in pv_calls)
			out = out sprintf(",\"hypercalls_by_xen\":%s", pv_calls[name])
		if (error[who[w], name] >= 0)
			out = out sprintf(",\"scaled_error_percent\":%s", error[who[w], name])
		out = out "}"
	}
	if (ratio("pvpmu", "vpmu", name, 4) != "-")
		out = out sprintf(",\"host_ratio\":%s", ratio("pvpmu", "vpmu", name, 4))
	print out "}"
}
function compare(   k, c) {
	printf "%-38s %28s %27s %17s\n", "", "VM exits", "host instructions", "guest instr."
	printf "%-38s %14s %13s %9s %9s %7s %8s %8s\n", "per operation, medians", "vPMU (for it)", "pvpmu (calls)", "vPMU", "pvpmu", "ratio", "vPMU", "pvpmu"
	for (k = 1; k <= n; k++) {
		c = order[k]
		if (c ~ /^(exit:|an idle)/ || !(has("vpmu", c) || has("pvpmu", c)))
			continue
		printf "%-38s %14s %13s %9s %9s %7s %8s %8s\n", c, exits_of("vpmu", c, 2),
			exits_of("pvpmu", c, 3), cell("vpmu", c, 4, "%d"), cell("pvpmu", c, 4, "%d"),
			ratio("pvpmu", "vpmu", c, 4), guest("vpmu", c), guest("pvpmu", c)
	}
}
function rotation(   k, c) {
	printf "\n%-38s %24s %37s\n", "", "hypercalls", "error of a count, %"
	printf "%-38s %14s %9s %9s %8s %9s %9s\n", "multiplexing", "pvpmu", "PVH", "vPMU", "pvpmu", "PVH", "PV"
	for (k = 1; k <= n; k++) {
		c = order[k]
		if (scaled("vpmu", c) != "-" || scaled("pvpmu", c) != "-" || scaled("pvh", c) != "-")
			printf "%-38s %14s %9s %9s %8s %9s %9s\n", c, cell("pvpmu", c, 3, "%.2f"), cell("pvh", c, 3, "%.2f"),
				scaled("vpmu", c), scaled("pvpmu", c), scaled("pvh", c), scaled("pv", c)
	}
}
function idle(   k, c) {
	printf "\n%-38s %24s %27s\n", "", "VM exits", "host instructions"
	printf "%-38s %14s %9s %9s %9s %7s\n", "loaded, not used", "no module", "pvpmu", "no module", "pvpmu", "ratio"
	for (k = 1; k <= n; k++) {
		c = order[k]
		if (has("none", c))
			printf "%-38s %14s %9s %9s %9s %7s\n", c, cell("none", c, 1, "%.1f"), cell("pvpmu", c, 1, "%.1f"),
				cell("none", c, 4, "%d"), cell("pvpmu", c, 4, "%d"), ratio("pvpmu", "none", c, 4)
	}
}
function xen(   k, c) {
	printf "\n%-38s %39s %29s\n", "", "PVH", "PV"
	printf "%-38s %13s %9s %6s %8s %11s %8s %8s\n", "on Xen", "exits (calls)", "Xen", "/ vPMU", "guest", "calls", "Xen", "guest"
	for (k = 1; k <= n; k++) {
		c = order[k]
		if (has("pvh", c) || has("pv", c))
			printf "%-38s %13s %9s %6s %8s %11s %8s %8s\n", c, exits_of("pvh", c, 3), cell("pvh", c, 4, "%d"),
				ratio("pvh", "vpmu", c, 4), guest("pvh", c), c in pv_calls ? pv_calls[c] : "-",
				cell("pv", c, 4, "%d"), guest("pv", c)
	}
}
END {
	if (json) {
		for (k = 1; k <= n; k++)
			json_case(order[k])
		exit
	}
	if (on["pvpmu"]) {
		compare()
		idle()
	}
	rotation()
	if (on["pvh"])
		xen()
}
