/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/config_vty.h"

#include "controller/vty/grammar_vty.h"

void config_vty_init(struct config *cfg)
{
	grammar_use(cfg);
	config_set_time(cfg, time(NULL));
	config_global_vty_init();
	config_router_vty_init();
	config_customer_vty_init();
	config_edge_vty_init();
	config_radius_vty_init();
}
