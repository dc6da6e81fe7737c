/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/ts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPPROTO_ICMP_NUMBER 1
#define IPPROTO_ICMP6_NUMBER 58

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "icmp", IPPROTO_ICMP_NUMBER }, { "tcp", 6 }, { "udp", 17 }, { "icmp6", IPPROTO_ICMP6_NUMBER }, { "sctp", 132 },
};

struct ike_ts ike_ts_of_prefix(const struct ip_prefix *prefix)
{
	return (struct ike_ts){
		.port_last = UINT16_MAX,
		.first = { prefix->v, prefix->family },
		.last = { ip_prefix_last(prefix), prefix->family },
	};
}

/* ---- algebra */

bool ike_ts_intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out)
{
	struct ike_ts ts = *a;

	if (a->first.family != b->first.family || (a->protocol && b->protocol && a->protocol != b->protocol))
		return false;
	if (b->protocol)
		ts.protocol = b->protocol;
	if (b->first.v > ts.first.v)
		ts.first.v = b->first.v;
	if (b->last.v < ts.last.v)
		ts.last.v = b->last.v;
	/* OPAQUE (65535 to 0) meets itself and any; cut with others it is empty */
	if (b->port_first > ts.port_first)
		ts.port_first = b->port_first;
	if (b->port_last < ts.port_last)
		ts.port_last = b->port_last;
	if (ts.first.v > ts.last.v)
		return false;
	if (ts.port_first > ts.port_last &&
	    !((a->port_first > a->port_last || (a->port_first == 0 && a->port_last == UINT16_MAX)) &&
	      (b->port_first > b->port_last || (b->port_first == 0 && b->port_last == UINT16_MAX))))
		return false;
	*out = ts;
	return true;
}

static bool ts_equal(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->protocol == b->protocol && a->port_first == b->port_first && a->port_last == b->port_last &&
	       ip_addr_equal(&a->first, &b->first) && ip_addr_equal(&a->last, &b->last);
}

bool ike_ts_covers(const struct ike_ts *outer, const struct ike_ts *inner)
{
	struct ike_ts common;

	return ike_ts_intersect(outer, inner, &common) && ts_equal(&common, inner);
}

bool ike_ts_list_covers(const struct ike_ts_list *outer, const struct ike_ts_list *inner)
{
	for (unsigned i = 0; i < inner->n; i++) {
		bool found = false;

		for (unsigned j = 0; j < outer->n && !found; j++)
			found = ike_ts_covers(&outer->list[j], &inner->list[i]);
		if (!found)
			return false;
	}
	return true;
}

bool ike_ts_list_equal(const struct ike_ts_list *a, const struct ike_ts_list *b)
{
	return ike_ts_list_covers(a, b) && ike_ts_list_covers(b, a);
}

static void add(struct ike_ts_list *list, const struct ike_ts *ts)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < list->n; i++)
		if (ike_ts_covers(&list->list[i], ts))
			return;
	for (unsigned i = 0; i < list->n; i++)
		if (!ike_ts_covers(ts, &list->list[i]))
			list->list[kept++] = list->list[i];
	list->n = kept;
	if (list->n < IKE_TS_MAX)
		list->list[list->n++] = *ts;
}

void ike_ts_narrow(const struct ike_ts_list *policy, const struct ike_ts_list *asked, struct ike_ts_list *out)
{
	struct ike_ts common;

	out->n = 0;
	/* in the order of what was asked: its first is the packet that caused it (2.9) */
	for (unsigned i = 0; i < asked->n; i++)
		for (unsigned j = 0; j < policy->n; j++)
			if (ike_ts_intersect(&policy->list[j], &asked->list[i], &common))
				add(out, &common);
}

/* ---- text */

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoul(text, &end, 10);
	return *end == '\0' && *out <= max;
}

static bool parse_protocol(const char *text, uint8_t *out)
{
	unsigned long n;

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(protocols[i].name, text) == 0) {
			*out = protocols[i].number;
			return true;
		}
	if (!parse_number(text, 255, &n) || n == 0)
		return false;
	*out = (uint8_t)n;
	return true;
}

static bool parse_ports(char *text, struct ike_ts *ts)
{
	char *dash = strchr(text, '-');
	unsigned long first, last;

	if (dash)
		*dash = '\0';
	if (!parse_number(text, UINT16_MAX, &first) || !parse_number(dash ? dash + 1 : text, UINT16_MAX, &last) ||
	    first > last)
		return false;
	ts->port_first = (uint16_t)first;
	ts->port_last = (uint16_t)last;
	return true;
}

int ike_ts_parse(const char *text, struct ike_ts *out, struct diag *diag)
{
	char buf[IKE_TS_TEXT], *save, *word;
	char right[IP_TEXT_SIZE];
	struct ip_prefix prefix;
	enum ip_parse what;
	struct ike_ts ts;

	snprintf(buf, sizeof(buf), "%s", text);
	word = strtok_r(buf, " ", &save);
	what = word ? ip_prefix_parse(word, &prefix) : IP_PARSE_SYNTAX;
	if (what == IP_PARSE_HOST_BITS)
		return diag_set(diag, "%s has bits set beyond its length; write %s", word, ip_prefix_format(&prefix, right));
	if (what != IP_PARSE_OK)
		return diag_set(diag, "\"%s\" does not begin with a prefix; write such as 192.0.2.0/24", text);
	ts = ike_ts_of_prefix(&prefix);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *value = strtok_r(NULL, " ", &save);

		if (value && strcmp(word, "proto") == 0 && parse_protocol(value, &ts.protocol))
			continue;
		if (value && strcmp(word, "port") == 0 && ts.protocol != 0 && parse_ports(value, &ts))
			continue;
		return diag_set(diag, "\"%s %s\" in a selector; write PREFIX [proto tcp|udp|icmp|NUMBER [port FIRST[-LAST]]]",
				word, value ? value : "");
	}
	*out = ts;
	return 0;
}

static const char *format_range(const struct ike_ts *ts, char *out, size_t size)
{
	char first[IP_TEXT_SIZE], last[IP_TEXT_SIZE];
	unsigned bits = ip_bits(ts->first.family);

	for (unsigned len = 0; len <= bits; len++) {
		struct ip_prefix p = ip_prefix_make(ts->first.family, ts->first.v, len);

		if (p.v == ts->first.v && ip_prefix_last(&p) == ts->last.v) {
			snprintf(out, size, "%s", ip_prefix_format(&p, first));
			return out;
		}
	}
	snprintf(out, size, "%s-%s", ip_addr_format(&ts->first, first), ip_addr_format(&ts->last, last));
	return out;
}

const char *ike_ts_format(const struct ike_ts *ts, char out[IKE_TS_TEXT])
{
	char range[2 * IP_TEXT_SIZE], ports[32] = "";

	format_range(ts, range, sizeof(range));
	if (ts->port_first > ts->port_last)
		snprintf(ports, sizeof(ports), " port opaque");
	else if (ts->port_first != 0 || ts->port_last != UINT16_MAX)
		snprintf(ports, sizeof(ports), ts->port_first == ts->port_last ? " port %u" : " port %u-%u",
			 ts->port_first, ts->port_last);
	if (ts->protocol)
		snprintf(out, IKE_TS_TEXT, "%s proto %u%s", range, ts->protocol, ports);
	else
		snprintf(out, IKE_TS_TEXT, "%s%s", range, ports);
	return out;
}
