/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The links of a configuration.
 */
#include "ipsec/iked_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct iked_link *iked_link_find(const struct iked_config *config, const char *name)
{
	struct iked_link *link = config->links;

	while (link && strcmp(link->name, name) != 0)
		link = link->next;
	return link;
}

struct iked_link *iked_link_by_number(const struct iked_config *config, uint32_t number)
{
	struct iked_link *link = config->links;

	while (link && link->number != number)
		link = link->next;
	return link;
}

struct iked_link *iked_link_get(struct iked_config *config, const char *name, struct diag *diag)
{
	struct iked_link *link = iked_link_find(config, name), **at = &config->links;

	if (link)
		return link;
	if (iked_name_check(name, diag) != 0)
		return NULL;
	link = mem_alloc(sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->number = ++config->last_number;
	while (*at)
		at = &(*at)->next;
	*at = link;
	return link;
}

/* Two sockets on one address and port: packets of the one would come to the other. */
static int check_sources(const struct iked_config *config, const struct iked_link *changed, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	for (const struct iked_link *other = config->links; other; other = other->next)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			if (other->number != changed->number && other->has_source[f] && changed->has_source[f] &&
			    ip_addr_equal(&other->source[f], &changed->source[f]))
				return diag_set(diag, "link %s has the source %s already: each link has its own", other->name,
						ip_addr_format(&changed->source[f], text));
	for (const struct iked_link *other = config->links; other; other = other->next)
		if (other->number != changed->number && other->device[0] && strcmp(other->device, changed->device) == 0 &&
		    (!other->has_source[IP_V4] || !changed->has_source[IP_V4]) &&
		    (!other->has_source[IP_V6] || !changed->has_source[IP_V6]))
			return diag_set(diag, "link %s has the device %s already: give both a source", other->name, changed->device);
	return 0;
}

int iked_link_put(struct iked_config *config, const struct iked_link *changed, struct diag *diag)
{
	struct iked_link *link = iked_link_find(config, changed->name), *next;

	if (!link)
		return diag_set(diag, "link %s is gone: type \"exit\"", changed->name);
	if (check_sources(config, changed, diag) != 0)
		return -1;
	next = link->next;
	*link = *changed;
	link->next = next;
	return 0;
}

int iked_link_del(struct iked_config *config, const char *name, struct diag *diag)
{
	struct iked_link **at = &config->links, *link;

	for (const struct iked_tunnel *t = config->tunnels; t; t = t->next)
		if (strcmp(t->link, name) == 0)
			return diag_set(diag, "tunnel %s uses link %s: \"no tunnel %s\" first, or give it another link", t->t.name,
					name, t->t.name);
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	link = *at;
	if (!link)
		return diag_set(diag, "there is no link %s", name);
	*at = link->next;
	free(link);
	return 0;
}

bool iked_link_is_kernel(const struct iked_config *config, const char *name)
{
	const struct iked_link *link = iked_link_find(config, name);

	if (link && link->datapaths[IKED_DATAPATH_USER] + link->datapaths[IKED_DATAPATH_KERNEL] > 0)
		return link->datapaths[IKED_DATAPATH_KERNEL] > 0;
	return config->kernel_works;
}
