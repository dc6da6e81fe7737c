/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What agent_msg_unpack() accepts can be packed, and packs into something that
 * unpacks to the same: then nothing invalid was let through.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/agent_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_msg msg, again;
	struct wr one = { 0 }, two = { 0 };
	struct diag diag;

	if (agent_msg_unpack(data, size, &msg, &diag) < 0) {
		require(memchr(diag.text, 0, sizeof(diag.text)) != NULL);
		return 0;
	}
	agent_msg_pack(&msg, &one);
	require(agent_msg_unpack(one.data + 4, one.len - 4, &again, &diag) == 0);
	require(again.type == msg.type);
	agent_msg_pack(&again, &two);
	require(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
	agent_msg_fini(&msg);
	agent_msg_fini(&again);
	wr_fini(&one);
	wr_fini(&two);
	return 0;
}
