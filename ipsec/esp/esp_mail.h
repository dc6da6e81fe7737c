/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_mail - messages to one thread from others, in order.
 */
#ifndef SAV_ESP_MAIL_H
#define SAV_ESP_MAIL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Embed it first; what is behind it is the sender's and the reader's affair. */
struct esp_mail {
	struct esp_mail *next;
	size_t size; /* of the whole, which is wiped when it is freed */
	bool may_drop;
	void (*open)(void *reader, struct esp_mail *mail);
};

struct esp_mailbox {
	pthread_mutex_t lock;
	struct esp_mail *first, **last;
	unsigned int n_may_drop;
	size_t may_drop_bytes;
	int fd; /* readable while there is mail */
};

/* Those that may be dropped wait in so many at most, and in so many bytes: a frame of 64 KB is one too,
 * and a thousand of those would be a tenth of a second late at gigabits, and a lot of memory for each thread. */
#define ESP_MAIL_MAX   1024
#define ESP_MAIL_BYTES (8u << 20)

int esp_mailbox_init(struct esp_mailbox *box); /* -1: no descriptor */
void esp_mailbox_fini(struct esp_mailbox *box);

/* Zeroed; size is that of the struct it is embedded in, and more bytes behind. */
void *esp_mail_new(size_t size, void (*open)(void *reader, struct esp_mail *mail));
void esp_mail_free(struct esp_mail *mail);

/* Takes the mail. False: it was one to be dropped when there is no room, and was. */
bool esp_mailbox_put(struct esp_mailbox *box, struct esp_mail *mail);
/* All that is there, in order, now the caller's; NULL: none. */
struct esp_mail *esp_mailbox_take(struct esp_mailbox *box);

#endif /* SAV_ESP_MAIL_H */
