/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Memory for keys: not swapped, not in a core dump, wiped when freed.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/crypto.h"
#include "lib/mem.h"

#define ARENA_BYTES (16 << 20) /* address space; memory is used as keys come */
#define SMALLEST    64

void *crypto_locked_alloc(size_t size)
{
	void *p;

	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(ARENA_BYTES, SMALLEST);
	/* without an arena, or when it is full, OpenSSL takes the heap or nothing */
	p = OPENSSL_secure_zalloc(size);
	return p ? p : mem_alloc(size);
}

void crypto_locked_free(void *p, size_t size)
{
	if (!p)
		return;
	if (CRYPTO_secure_allocated(p)) {
		OPENSSL_secure_clear_free(p, size);
		return;
	}
	crypto_wipe(p, size);
	free(p);
}
