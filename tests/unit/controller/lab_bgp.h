/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * lab_bgp - a router's own BGP session in the lab.
 */
#ifndef SAV_TEST_LAB_BGP_H
#define SAV_TEST_LAB_BGP_H

#include "controller/engine_bgp.h"
#include "tests/unit/controller/lab.h"
#include "tests/unit/feed/bmp_build.h"

#define LAB_BGP_AS 64500u

struct engine_bgp *lab_bgp_begin(struct lab *lab, const char *router);
/* With add-path in both families, or in none. */
struct engine_bgp *lab_bgp_establish(struct lab *lab, const char *router);
struct engine_bgp *lab_bgp_establish_plain(struct lab *lab, const char *router);
void lab_bgp_update(struct lab *lab, struct engine_bgp *b, struct build_update *u);
/* One route, AS path as given; id 0: the session is without add-path. */
void lab_bgp_tell(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id,
		  const char *next_hop, const uint32_t *as, size_t n);
/* AS path 65001. */
void lab_bgp_add(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id,
		 const char *next_hop);
void lab_bgp_del(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id);
void lab_bgp_end_of_rib(struct lab *lab, struct engine_bgp *b);
void lab_bgp_lose(struct lab *lab, struct engine_bgp *b);

#endif /* SAV_TEST_LAB_BGP_H */
