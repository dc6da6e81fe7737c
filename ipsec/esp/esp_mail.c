/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_mail.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ipsec/crypto.h"
#include "lib/mem.h"

int esp_mailbox_init(struct esp_mailbox *box)
{
	*box = (struct esp_mailbox){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	box->last = &box->first;
	pthread_mutex_init(&box->lock, NULL);
	return box->fd < 0 ? -1 : 0;
}

void esp_mailbox_fini(struct esp_mailbox *box)
{
	for (struct esp_mail *mail = box->first, *next; mail; mail = next) {
		next = mail->next;
		esp_mail_free(mail);
	}
	pthread_mutex_destroy(&box->lock);
	if (box->fd >= 0)
		close(box->fd);
}

void *esp_mail_new(size_t size, void (*open)(void *reader, struct esp_mail *mail))
{
	struct esp_mail *mail = mem_alloc(size);

	mail->size = size;
	mail->open = open;
	return mail;
}

void esp_mail_free(struct esp_mail *mail)
{
	crypto_wipe(mail, mail->size);
	free(mail);
}

bool esp_mailbox_put(struct esp_mailbox *box, struct esp_mail *mail)
{
	static const uint64_t one = 1;
	bool full, was_empty;

	pthread_mutex_lock(&box->lock);
	full = mail->may_drop &&
	       (box->n_may_drop >= ESP_MAIL_MAX || box->may_drop_bytes + mail->size > ESP_MAIL_BYTES);
	was_empty = !box->first;
	if (!full) {
		box->n_may_drop += mail->may_drop;
		box->may_drop_bytes += mail->may_drop ? mail->size : 0;
		*box->last = mail;
		box->last = &mail->next;
	}
	pthread_mutex_unlock(&box->lock);
	if (full)
		esp_mail_free(mail);
	else if (was_empty && write(box->fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes a one: that is a bug */
	return !full;
}

struct esp_mail *esp_mailbox_take(struct esp_mailbox *box)
{
	struct esp_mail *all;
	uint64_t n;

	/* first, so that what is put from here on is told again */
	(void)!read(box->fd, &n, sizeof(n));
	pthread_mutex_lock(&box->lock);
	all = box->first;
	box->first = NULL;
	box->last = &box->first;
	box->n_may_drop = 0;
	box->may_drop_bytes = 0;
	pthread_mutex_unlock(&box->lock);
	return all;
}
