/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void site_init(struct site *s)
{
	*s = (struct site){
		.table_base = SITE_TABLE_BASE,
		.rule_base = SITE_RULE_BASE,
		.mark_mask = SITE_MARK_MASK,
	};
}

static void provider_fini(struct site_provider *p)
{
	free(p->prefixes);
	free(p->paths);
	free(p->forwards);
}

void site_fini(struct site *s)
{
	for (size_t i = 0; i < s->n_providers; i++)
		provider_fini(&s->providers[i]);
	free(s->providers);
	site_init(s);
}

bool site_is_used(const struct site *s)
{
	return s->n_providers != 0;
}

/* ---- marks and tables ---- */

static unsigned int mark_shift(const struct site *s)
{
	return (unsigned int)__builtin_ctz(s->mark_mask);
}

uint32_t site_mark(const struct site *s, enum site_mark kind, uint32_t number)
{
	return ((uint32_t)kind * (SITE_NUMBER_MAX + 1) + number) << mark_shift(s);
}

uint32_t site_table(const struct site *s, enum site_mark kind, uint32_t number)
{
	return s->table_base + (uint32_t)kind * (SITE_NUMBER_MAX + 1) + number;
}

int site_mark_mask(struct site *s, uint32_t mask, struct diag *diag)
{
	if (mask == 0 || mask >> (unsigned int)__builtin_ctz(mask) != 0xff)
		return diag_set(diag, "mark mask 0x%x: eight bits side by side, as 0x%x", mask,
				SITE_MARK_MASK);
	s->mark_mask = mask;
	return 0;
}

int site_table_base(struct site *s, uint32_t base, struct diag *diag)
{
	if (base < 1000 || base > UINT32_MAX - SITE_TABLES)
		return diag_set(diag,
				"table base %u: it and the %u numbers after it must be free; "
				"take 1000 or more",
				base, SITE_TABLES);
	s->table_base = base;
	return 0;
}

int site_rule_base(struct site *s, uint32_t base, struct diag *diag)
{
	if (base == 0 || base + SITE_RULES > 32766)
		return diag_set(diag,
				"rule base %u: it and the %u after it must lie between the rules "
				"of the tables local (0) and main (32766)",
				base, SITE_RULES);
	s->rule_base = base;
	return 0;
}

/* ---- providers ---- */

struct site_provider *site_provider_find(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		if (strcmp(s->providers[i].name, name) == 0)
			return &s->providers[i];
	}
	return NULL;
}

static bool provider_number_used(const struct site *s, uint32_t number)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		if (s->providers[i].number == number)
			return true;
	}
	return false;
}

struct site_provider *site_provider_get(struct site *s, const char *name, struct diag *diag)
{
	struct site_provider *p = site_provider_find(s, name);
	uint32_t number = 1;

	if (p)
		return p;
	if (strlen(name) >= PATH_NAME_SIZE) {
		diag_set(diag, "provider %s: a name has %d characters at most", name,
			 PATH_NAME_SIZE - 1);
		return NULL;
	}
	while (provider_number_used(s, number))
		number++;
	if (number > SITE_NUMBER_MAX) {
		diag_set(diag, "provider %s: there are %d of them, more cannot be", name,
			 SITE_NUMBER_MAX);
		return NULL;
	}
	s->providers = mem_realloc(s->providers, s->n_providers + 1, sizeof(*s->providers));
	p = &s->providers[s->n_providers++];
	*p = (struct site_provider){ .number = number };
	snprintf(p->name, sizeof(p->name), "%s", name);
	path_watch_default(&p->watch);
	return p;
}

int site_provider_number(struct site *s, struct site_provider *p, uint32_t number,
			 struct diag *diag)
{
	if (p->number == number)
		return 0;
	if (number == 0 || number > SITE_NUMBER_MAX)
		return diag_set(diag, "number %u: 1 to %d", number, SITE_NUMBER_MAX);
	if (provider_number_used(s, number))
		return diag_set(diag, "number %u is another provider's; \"show site provider\" "
				      "lists them", number);
	p->number = number;
	return 0;
}

/* A link of this provider that others' lines name. */
static const char *link_used_by_others(const struct site *s, const struct site_provider *p,
				       const char *link)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *other = &s->providers[i];

		for (size_t j = 0; j < other->n_paths && other != p; j++) {
			if (other->paths[j].kind == PATH_TUNNEL &&
			    strcmp(other->paths[j].via, link) == 0)
				return other->paths[j].name;
		}
	}
	return NULL;
}

int site_provider_del(struct site *s, const char *name, struct diag *diag)
{
	struct site_provider *p = site_provider_find(s, name);
	size_t at;

	if (!p)
		return diag_set(diag, "there is no provider %s", name);
	for (size_t i = 0; i < p->n_paths; i++) {
		const char *tunnel = p->paths[i].kind == PATH_LINK
					     ? link_used_by_others(s, p, p->paths[i].name)
					     : NULL;

		if (tunnel)
			return diag_set(diag,
					"provider %s: tunnel %s of another provider goes via its "
					"link %s; remove that first (\"no tunnel %s\")",
					name, tunnel, p->paths[i].name, tunnel);
	}
	if (strcmp(s->default_provider, name) == 0)
		return diag_set(diag, "provider %s is the default provider; \"no "
				      "default-provider\" first", name);
	at = (size_t)(p - s->providers);
	provider_fini(p);
	memmove(p, p + 1, (s->n_providers - at - 1) * sizeof(*p));
	s->n_providers--;
	return 0;
}

/* ---- the site ---- */

int site_inside(struct site *s, const char *interface, bool add, struct diag *diag)
{
	const struct site_provider *owner;
	size_t i = 0;

	while (i < s->n_insides && strcmp(s->insides[i], interface) != 0)
		i++;
	if (!add) {
		if (i == s->n_insides)
			return diag_set(diag, "%s is no inside interface", interface);
		memmove(&s->insides[i], &s->insides[i + 1],
			(s->n_insides - i - 1) * sizeof(s->insides[0]));
		s->n_insides--;
		return 0;
	}
	if (i < s->n_insides)
		return 0;
	if (site_check_interface(s, "inside", interface, diag) < 0)
		return -1;
	if (site_path_find(s, PATH_LINK, interface, &owner))
		return diag_set(diag,
				"inside %s: it is a link of provider %s; an interface is one or "
				"the other (\"no link %s\" there)",
				interface, owner->name, interface);
	if (s->n_insides == SITE_INSIDES_MAX)
		return diag_set(diag, "inside %s: %d interfaces are the most", interface,
				SITE_INSIDES_MAX);
	snprintf(s->insides[s->n_insides++], FILTER_IFNAME_SIZE, "%s", interface);
	return 0;
}

static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

/* The provider whose static prefix overlaps. */
static const struct site_provider *overlapping(const struct site *s,
					       const struct site_provider *but,
					       const struct ip_prefix *prefix,
					       struct ip_prefix *theirs)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *p = &s->providers[i];

		for (size_t j = 0; j < p->n_prefixes && p != but; j++) {
			if (p->prefixes[j].source == SITE_STATIC &&
			    overlap(&p->prefixes[j].prefix, prefix)) {
				*theirs = p->prefixes[j].prefix;
				return p;
			}
		}
	}
	return NULL;
}

int site_private(struct site *s, const struct ip_prefix *prefix, bool add, struct diag *diag)
{
	const struct site_provider *owner;
	char text[IP_TEXT_SIZE], other[IP_TEXT_SIZE];
	struct ip_prefix theirs;
	size_t i = 0;

	ip_prefix_format(prefix, text);
	while (i < s->n_privates && ip_prefix_cmp(&s->privates[i], prefix) != 0)
		i++;
	if (!add) {
		if (i == s->n_privates)
			return diag_set(diag, "%s is not declared private", text);
		memmove(&s->privates[i], &s->privates[i + 1],
			(s->n_privates - i - 1) * sizeof(s->privates[0]));
		s->n_privates--;
		return 0;
	}
	if (i < s->n_privates)
		return 0;
	owner = overlapping(s, NULL, prefix, &theirs);
	if (owner)
		return diag_set(diag,
				"private %s overlaps prefix %s of provider %s: a source is "
				"translated or it is the provider's",
				text, ip_prefix_format(&theirs, other), owner->name);
	if (s->n_privates == SITE_PREFIXES_MAX)
		return diag_set(diag, "private %s: %d prefixes are the most", text,
				SITE_PREFIXES_MAX);
	s->privates[s->n_privates++] = *prefix;
	return 0;
}

/* ---- prefixes ---- */

bool site_may_delegate(const struct site *s, const struct ip_prefix *subnet)
{
	bool within = false;

	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *p = &s->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			const struct site_prefix *c = &p->prefixes[j];
			const bool covered = ip_prefix_covers(&c->prefix, subnet);

			if (c->source == SITE_STATIC && covered)
				return false;
			within |= c->source == SITE_DELEGATION && covered;
		}
	}
	return within;
}

static bool same_prefix(const struct site_prefix *a, const struct site_prefix *b)
{
	return a->source == b->source && strcmp(a->link, b->link) == 0 &&
	       (a->source == SITE_ADDRESS || ip_prefix_cmp(&a->prefix, &b->prefix) == 0);
}

static int check_static(const struct site *s, const struct site_provider *p,
			const struct ip_prefix *prefix, struct diag *diag)
{
	const struct site_provider *other;
	char text[IP_TEXT_SIZE], their_text[IP_TEXT_SIZE];
	struct ip_prefix theirs;

	ip_prefix_format(prefix, text);
	if (prefix->len == 0)
		return diag_set(diag, "prefix %s is everybody's: name what this provider has "
				      "assigned", text);
	other = overlapping(s, p, prefix, &theirs);
	if (other)
		return diag_set(diag,
				"prefix %s overlaps prefix %s of provider %s: a source belongs to "
				"one provider; remove one of the two",
				text, ip_prefix_format(&theirs, their_text), other->name);
	for (size_t i = 0; i < s->n_privates; i++) {
		if (overlap(&s->privates[i], prefix))
			return diag_set(diag, "prefix %s overlaps private %s of this site; \"no "
					      "private %s\" first", text,
					ip_prefix_format(&s->privates[i], their_text), their_text);
	}
	return 0;
}

/* Which of two clients a delegation came from, the kernel does not tell. */
static int check_delegation(const struct site *s, const struct site_provider *p,
			    const struct site_prefix *prefix, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *other = &s->providers[i];

		for (size_t j = 0; j < other->n_prefixes && other != p; j++) {
			if (other->prefixes[j].source == SITE_DELEGATION &&
			    overlap(&other->prefixes[j].prefix, &prefix->prefix))
				return diag_set(
					diag,
					"provider %s has a delegation within %s: two can only be "
					"told apart by \"prefix from delegation LINK within "
					"PREFIX\", each with its provider's own block",
					other->name,
					ip_prefix_format(&other->prefixes[j].prefix, text));
		}
	}
	return 0;
}

static int check_prefix(const struct site *s, const struct site_provider *p,
			const struct site_prefix *prefix, struct diag *diag)
{
	const struct site_provider *owner;

	if (prefix->source == SITE_STATIC)
		return check_static(s, p, &prefix->prefix, diag);
	if (!site_path_find(s, PATH_LINK, prefix->link, &owner))
		return diag_set(diag, "there is no link %s; \"link %s\" comes first",
				prefix->link, prefix->link);
	if (owner != p)
		return diag_set(diag, "link %s is provider %s's", prefix->link, owner->name);
	return prefix->source == SITE_DELEGATION ? check_delegation(s, p, prefix, diag) : 0;
}

int site_prefix(struct site *s, struct site_provider *p, const struct site_prefix *prefix,
		bool add, struct diag *diag)
{
	char text[IP_TEXT_SIZE];
	size_t i = 0;

	while (i < p->n_prefixes && !same_prefix(&p->prefixes[i], prefix))
		i++;
	if (!add) {
		if (i == p->n_prefixes)
			return diag_set(diag, "provider %s has no prefix %s", p->name,
					prefix->source == SITE_STATIC
						? ip_prefix_format(&prefix->prefix, text)
						: "from there");
		memmove(&p->prefixes[i], &p->prefixes[i + 1],
			(p->n_prefixes - i - 1) * sizeof(p->prefixes[0]));
		p->n_prefixes--;
		return 0;
	}
	if (i < p->n_prefixes)
		return 0;
	if (check_prefix(s, p, prefix, diag) < 0)
		return -1;
	if (p->n_prefixes == SITE_PREFIXES_MAX)
		return diag_set(diag, "provider %s has %d prefixes, more cannot be", p->name,
				SITE_PREFIXES_MAX);
	p->prefixes = mem_realloc(p->prefixes, p->n_prefixes + 1, sizeof(*p->prefixes));
	p->prefixes[p->n_prefixes++] = *prefix;
	return 0;
}

/* ---- translation ---- */

static bool same_forward(const struct site_forward *a, const struct site_forward *b)
{
	return a->protocol == b->protocol && a->port == b->port &&
	       a->to.family == b->to.family;
}

int site_forward(struct site *s, struct site_provider *p, const struct site_forward *f,
		 bool add, struct diag *diag)
{
	size_t i = 0;

	(void)s;
	while (i < p->n_forwards && !same_forward(&p->forwards[i], f))
		i++;
	if (!add) {
		if (i == p->n_forwards)
			return diag_set(diag, "provider %s does not forward port %u", p->name,
					f->port);
		memmove(&p->forwards[i], &p->forwards[i + 1],
			(p->n_forwards - i - 1) * sizeof(p->forwards[0]));
		p->n_forwards--;
		return 0;
	}
	if (i == p->n_forwards) {
		if (i == SITE_FORWARDS_MAX)
			return diag_set(diag, "provider %s forwards %d ports, more cannot be",
					p->name, SITE_FORWARDS_MAX);
		p->forwards = mem_realloc(p->forwards, i + 1, sizeof(*p->forwards));
		p->n_forwards++;
	}
	p->forwards[i] = *f;
	return 0;
}

int site_nat_to(struct site *s, struct site_provider *p, const struct ip_addr *to,
		struct diag *diag)
{
	const struct ip_prefix one = ip_prefix_make(to->family, to->v, ip_bits(to->family));
	const struct site_provider *other;
	char text[IP_TEXT_SIZE], theirs_text[IP_TEXT_SIZE];
	struct ip_prefix theirs;

	other = overlapping(s, p, &one, &theirs);
	if (other)
		return diag_set(diag,
				"nat to %s: that is in prefix %s of provider %s, which %s would "
				"not accept; take an address that %s has assigned",
				ip_addr_format(to, text), ip_prefix_format(&theirs, theirs_text),
				other->name, p->name, p->name);
	p->nat = true;
	p->has_nat_to[to->family] = true;
	p->nat_to[to->family] = *to;
	return 0;
}

const char *site_missing(const struct site *s)
{
	if (!site_is_used(s))
		return NULL;
	if (s->n_insides == 0)
		return "no inside interface: only this machine's own traffic is steered";
	if (s->default_provider[0] == '\0')
		return "no default-provider: this machine's own traffic goes as the main table says";
	if (!site_provider_find(s, s->default_provider))
		return "the default-provider does not exist: create it or name another";
	for (size_t i = 0; i < s->n_providers; i++) {
		if (s->providers[i].n_paths == 0)
			return "a provider has no link and no tunnel: its traffic is rejected";
	}
	return NULL;
}
