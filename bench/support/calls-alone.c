/*
 * What mirroring small files takes at the least: the same system calls for each file as snaphaven makes, by two threads,
 * with a CRC-32 of each file and a line of a receipt; no settling, proofs, flushes or seals.
 *
 *   calls-alone KEYSPACE TARGET TAG [EARLIER]
 *
 * copies the snapshots TAG of the tables in the folder KEYSPACE to TARGET/table/TAG. With EARLIER, a tag that it has
 * copied there, what has the same name and size in it is linked.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { THREADS = 2, TABLES_MAX = 100000, CHUNK = 256 * 1024 };

static const char *keyspace, *target, *tag, *earlier;
static char *tables[TABLES_MAX];
static int tableCount, nextTable;

static int folder(const char *format, const char *one, const char *two, const char *three) {
	char path[4096];
	snprintf(path, sizeof path, format, one, two, three);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0) err(1, "%s", path);
	return fd;
}

static int makeFolder(const char *table) {
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", target, table);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/%s", target, table, tag);
	if (mkdir(path, 0700)) err(1, "%s", path);
	return folder("%s/%s/%s", target, table, tag);
}

static uLong copy(int from, int to, const char *name, const struct stat *found, char *chunk) {
	uLong crc = 0;
	int source = openat(from, name, O_RDONLY | O_NOFOLLOW);
	int copied = openat(to, name, O_WRONLY | O_CREAT | O_EXCL, found->st_mode & 07777);
	if (source < 0 || copied < 0) err(1, "%s", name);
	for (off_t done = 0; done < found->st_size;) {
		ssize_t got = read(source, chunk, CHUNK);
		if (got <= 0 || write(copied, chunk, got) != got) err(1, "%s", name);
		crc = crc32(crc, (const Bytef *)chunk, got);
		done += got;
	}
	struct timespec times[2] = {found->st_mtim, found->st_mtim};
	if (futimens(copied, times) || close(copied) || close(source)) err(1, "%s", name);
	return crc;
}

static int reuse(int had, int to, const char *name, const struct stat *found) {
	struct stat old;
	if (had < 0 || fstatat(had, name, &old, AT_SYMLINK_NOFOLLOW) || old.st_size != found->st_size) return 0;
	return strcmp(name, "manifest.json") && !linkat(had, name, to, name, 0);
}

static void mirror(const char *table, char *chunk) {
	int from = folder("%s/%s/snapshots/%s", keyspace, table, tag), to = makeFolder(table);
	int had = earlier ? folder("%s/%s/%s", target, table, earlier) : -1;
	char path[4096];
	snprintf(path, sizeof path, "%s/%s/%s.json", target, table, tag);
	FILE *receipt = fopen(path, "wx");
	DIR *names = fdopendir(from);
	if (!receipt || !names) err(1, "%s", table);
	for (struct dirent *entry; (entry = readdir(names));) {
		const char *name = entry->d_name;
		struct stat found;
		if (fstatat(from, name, &found, AT_SYMLINK_NOFOLLOW)) err(1, "%s", name);
		if (!S_ISREG(found.st_mode)) continue;
		uLong crc = reuse(had, to, name, &found) ? 0 : copy(from, to, name, &found, chunk);
		fprintf(receipt, "{\"path\":\"%s\",\"size\":%ld,\"mtimeNs\":\"%ld%09ld\",\"mode\":%o,\"uid\":%u,\"gid\":%u,"
			"\"ino\":\"%ld\",\"crc32\":\"%08lx\",\"readAt\":\"2026-01-01T00:00:00.000Z\",\"how\":\"copied\"},\n",
			name, (long)found.st_size, (long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_mode & 07777,
			found.st_uid, found.st_gid, (long)found.st_ino, crc);
	}
	if (fclose(receipt) || closedir(names) || close(to) || (had >= 0 && close(had))) err(1, "%s", table);
}

static void *work(void *unused) {
	char *chunk = malloc(CHUNK);
	for (int at; (at = __sync_fetch_and_add(&nextTable, 1)) < tableCount;) mirror(tables[at], chunk);
	free(chunk);
	return unused;
}

int main(int count, char **words) {
	if (count < 4) errx(2, "usage: calls-alone KEYSPACE TARGET TAG [EARLIER]");
	keyspace = words[1], target = words[2], tag = words[3], earlier = words[4];
	DIR *names = opendir(keyspace);
	if (!names) err(1, "%s", keyspace);
	for (struct dirent *entry; (entry = readdir(names)) && tableCount < TABLES_MAX;)
		if (entry->d_name[0] != '.') tables[tableCount++] = strdup(entry->d_name);
	pthread_t threads[THREADS];
	for (int at = 0; at < THREADS; at++) pthread_create(&threads[at], NULL, work, NULL);
	for (int at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
	return 0;
}
