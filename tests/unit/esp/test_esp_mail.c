/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What waits for another thread is bounded in number and in bytes, and what may not be dropped always gets in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ipsec/esp/esp_mail.h"

static void nothing(void *reader, struct esp_mail *mail)
{
	(void)reader;
	(void)mail;
}

static bool put(struct esp_mailbox *box, size_t size, bool may_drop)
{
	struct esp_mail *mail = esp_mail_new(size, nothing);

	mail->may_drop = may_drop;
	return esp_mailbox_put(box, mail);
}

static unsigned int put_all(struct esp_mailbox *box, unsigned int n, size_t size)
{
	unsigned int taken = 0;

	for (unsigned int i = 0; i < n; i++)
		taken += put(box, size, true);
	return taken;
}

/* How many there were, and their bytes. */
static unsigned int empty(struct esp_mailbox *box, size_t *bytes)
{
	unsigned int n = 0;

	*bytes = 0;
	for (struct esp_mail *mail = esp_mailbox_take(box), *next; mail; mail = next) {
		next = mail->next;
		*bytes += mail->size;
		esp_mail_free(mail);
		n++;
	}
	return n;
}

static void test_small_ones_are_bounded_in_number(void **state)
{
	struct esp_mailbox box;
	size_t bytes;

	assert_int_equal(esp_mailbox_init(&box), 0);
	assert_int_equal(put_all(&box, ESP_MAIL_MAX + 100, 1500), ESP_MAIL_MAX);
	assert_true(put(&box, 1500, false));
	assert_int_equal(empty(&box, &bytes), ESP_MAIL_MAX + 1);
	assert_int_equal(put_all(&box, 1, 1500), 1);
	esp_mailbox_fini(&box);
}

static void test_long_ones_are_bounded_in_bytes(void **state)
{
	const size_t size = 65536;
	struct esp_mailbox box;
	unsigned int n;
	size_t bytes;

	assert_int_equal(esp_mailbox_init(&box), 0);
	for (int round = 0; round < 2; round++) {
		n = put_all(&box, ESP_MAIL_MAX, size);
		assert_int_equal(n, ESP_MAIL_BYTES / size);
		assert_true(put(&box, size, false));
		assert_false(put(&box, size, true));
		assert_int_equal(empty(&box, &bytes), n + 1);
		assert_true(bytes <= ESP_MAIL_BYTES + size);
	}
	esp_mailbox_fini(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_ones_are_bounded_in_number),
		cmocka_unit_test(test_long_ones_are_bounded_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
