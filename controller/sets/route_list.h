/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * route_list - paths of several peers in one list, sorted by prefix.
 */
#ifndef SAV_ROUTE_LIST_H
#define SAV_ROUTE_LIST_H

#include "controller/rib/rib.h"

struct route {
	struct ip_prefix prefix;
	const struct rib_attr *attr; /* the rib's */
	size_t source;		     /* the caller's number of whom it came from */
};

struct routes {
	struct route *r;
	size_t n, cap;
};

void route_list_add(struct routes *routes, const struct route *r);
void route_list_fini(struct routes *routes); /* the list is empty and usable */
/* As ip_prefix_cmp(); those of one prefix in no order. */
void route_list_sort(struct routes *routes);
/* End of the run of routes for the prefix at i, of a sorted list. */
size_t route_list_run_end(const struct routes *routes, size_t i);

#endif /* SAV_ROUTE_LIST_H */
