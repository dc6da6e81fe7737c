/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The links and tunnels of a site, and which interfaces they can be.
 */
#include "agents/steer/site.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

/* ---- where they are ---- */

static struct site_path *path_of(const struct site_provider *p, enum path_kind kind,
				 const char *name)
{
	for (size_t i = 0; i < p->n_paths; i++) {
		if (p->paths[i].kind == kind && strcmp(p->paths[i].name, name) == 0)
			return &p->paths[i];
	}
	return NULL;
}

const struct site_path *site_path_find(const struct site *s, enum path_kind kind,
				       const char *name, const struct site_provider **owner)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_path *path = path_of(&s->providers[i], kind, name);

		if (path) {
			if (owner)
				*owner = &s->providers[i];
			return path;
		}
	}
	return NULL;
}

/* ---- names of interfaces ---- */

/* sysctl has its values under these names beside the interfaces'; and the loopback
 * interface leads nowhere. */
static bool is_reserved(const char *interface)
{
	return strcmp(interface, "all") == 0 || strcmp(interface, "default") == 0 ||
	       strcmp(interface, "lo") == 0;
}

static bool is_inside(const struct site *s, const char *interface)
{
	for (size_t i = 0; i < s->n_insides; i++) {
		if (strcmp(s->insides[i], interface) == 0)
			return true;
	}
	return false;
}

/* The tunnel, but not that one, that is said to be this interface. */
static const struct site_path *tunnel_by_device(const struct site *s, const char *interface,
						const char *but)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *p = &s->providers[i];

		for (size_t j = 0; j < p->n_paths; j++) {
			const struct site_path *path = &p->paths[j];

			if (path->kind == PATH_TUNNEL && strcmp(path->device, interface) == 0 &&
			    strcmp(path->name, but) != 0)
				return path;
		}
	}
	return NULL;
}

const char *site_not_for_tunnel(const struct site *s, const char *interface, const char *tunnel)
{
	if (!filter_ifname_is_valid(interface) || is_reserved(interface))
		return "no interface of a tunnel can have this name";
	if (is_inside(s, interface))
		return "it is an inside interface";
	if (site_path_find(s, PATH_LINK, interface, NULL))
		return "it is a link";
	return tunnel_by_device(s, interface, tunnel) ? "it is another tunnel's interface" : NULL;
}

static int check_tunnel(const struct site *s, const struct site_path *path, struct diag *diag)
{
	const char *why = path->device[0]
				  ? site_not_for_tunnel(s, path->device, path->name)
				  : NULL;

	if (!site_path_find(s, PATH_LINK, path->via, NULL))
		return diag_set(diag,
				"tunnel %s: there is no link %s; \"link %s\" in its provider's "
				"node comes first",
				path->name, path->via, path->via);
	if (why)
		return diag_set(diag,
				"tunnel %s: device %s: %s; name the tunnel's own interface, or leave "
				"\"device\" out for one of sav-iked's",
				path->name, path->device, why);
	return 0;
}

int site_check_interface(const struct site *s, const char *word, const char *interface,
			 struct diag *diag)
{
	const struct site_path *tunnel = tunnel_by_device(s, interface, "");

	if (!filter_ifname_is_valid(interface) || is_reserved(interface))
		return diag_set(diag, "%s %s: that is no interface's name, or not one of a network",
				word, interface);
	if (tunnel)
		return diag_set(diag,
				"%s %s: it is the device of tunnel %s; \"no tunnel %s\" in its "
				"provider's node first",
				word, interface, tunnel->name, tunnel->name);
	return 0;
}

/* ---- changing ---- */

static bool path_number_used(const struct site *s, uint32_t number,
			     const struct site_path *but)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		for (size_t j = 0; j < s->providers[i].n_paths; j++) {
			const struct site_path *path = &s->providers[i].paths[j];

			if (path != but && path->number == number)
				return true;
		}
	}
	return false;
}

static int check_path(const struct site *s, const struct site_provider *p,
		      const struct site_path *path, struct diag *diag)
{
	const char *word = path_kind_name(path->kind);
	const struct site_provider *owner;

	if (site_path_find(s, path->kind, path->name, &owner) && owner != p)
		return diag_set(diag, "%s %s is provider %s's already; \"no %s %s\" there first",
				word, path->name, owner->name, word, path->name);
	if (path->kind == PATH_TUNNEL)
		return check_tunnel(s, path, diag);
	if (site_check_interface(s, word, path->name, diag) < 0)
		return -1;
	if (is_inside(s, path->name))
		return diag_set(diag,
				"link %s: it is an inside interface; an interface is one or the "
				"other (\"no inside %s\" in node site)",
				path->name, path->name);
	return 0;
}

/* Stable: what is alike stays as it was typed. */
static void sort_paths(struct site_provider *p)
{
	for (size_t i = 1; i < p->n_paths; i++) {
		const struct site_path path = p->paths[i];
		size_t at = i;

		while (at > 0 && p->paths[at - 1].preference > path.preference) {
			p->paths[at] = p->paths[at - 1];
			at--;
		}
		p->paths[at] = path;
	}
}

int site_path_put(struct site *s, struct site_provider *p, const struct site_path *path,
		  struct diag *diag)
{
	struct site_path *old = path_of(p, path->kind, path->name);
	uint32_t number = path->number;

	if (check_path(s, p, path, diag) < 0)
		return -1;
	if (number == 0 && old)
		number = old->number;
	if (number == 0) {
		for (number = 1; path_number_used(s, number, NULL);)
			number++;
	} else if (path_number_used(s, number, old)) {
		return diag_set(diag, "number %u is another path's; \"show site path\" lists them",
				number);
	}
	if (number > PATH_NUMBER_MAX)
		return diag_set(diag, "%s %s: there are %d paths, more cannot be",
				path_kind_name(path->kind), path->name, PATH_NUMBER_MAX);
	if (!old) {
		p->paths = mem_realloc(p->paths, p->n_paths + 1, sizeof(*p->paths));
		old = &p->paths[p->n_paths++];
	}
	*old = *path;
	old->number = number;
	if (old->preference == 0)
		old->preference = path->kind == PATH_LINK ? SITE_PREFER_LINK : SITE_PREFER_TUNNEL;
	sort_paths(p);
	return 0;
}

static int check_unused_link(const struct site *s, const char *link, struct diag *diag)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *p = &s->providers[i];

		for (size_t j = 0; j < p->n_paths; j++) {
			if (p->paths[j].kind == PATH_TUNNEL && strcmp(p->paths[j].via, link) == 0)
				return diag_set(diag,
						"link %s: tunnel %s of provider %s goes via it; \"no "
						"tunnel %s\" there first",
						link, p->paths[j].name, p->name, p->paths[j].name);
		}
		for (size_t j = 0; j < p->n_prefixes; j++) {
			if (strcmp(p->prefixes[j].link, link) == 0)
				return diag_set(diag,
						"link %s: a prefix of provider %s comes from it; \"no "
						"prefix from ...\" first",
						link, p->name);
		}
	}
	return 0;
}

int site_path_del(struct site *s, struct site_provider *p, enum path_kind kind,
		  const char *name, struct diag *diag)
{
	struct site_path *path = path_of(p, kind, name);

	if (!path)
		return diag_set(diag, "provider %s has no %s %s", p->name, path_kind_name(kind),
				name);
	if (kind == PATH_LINK && check_unused_link(s, name, diag) < 0)
		return -1;
	memmove(path, path + 1,
		(p->n_paths - (size_t)(path - p->paths) - 1) * sizeof(*path));
	p->n_paths--;
	return 0;
}
