/*
 * record.c - record_decode of every schema, pairs and numbers. The first byte chooses. What decodes must encode to what
 * decodes alike.
 */
#include "store/record.h"

#include "tests/fuzz/fuzz.h"

union record {
	struct store_inode inode;
	struct store_session session;
	struct store_dirent dirent;
	struct store_ending ending;
	struct super super;
};

static void release(unsigned choice, union record *r)
{
	if (choice == 0)
		store_inode_release(&r->inode);
	else if (choice == 1)
		store_session_release(&r->session);
}

static void decode(unsigned choice, const uint8_t *data, size_t size)
{
	const struct schema *const schemas[] = {
		&inode_schema, &session_schema, &dirent_schema, &super_schema, &ending_schema};
	const struct schema *s = schemas[choice];
	union record first, second;
	if (record_decode(s, data, size, &first))
		return;
	uint8_t *once = malloc(record_encoded_max(s, &first)), *twice = malloc(record_encoded_max(s, &first));
	size_t len = record_encode(s, &first, once);
	if (len > record_encoded_max(s, &first) || record_decode(s, once, len, &second))
		abort();
	if (record_encode(s, &second, twice) != len || memcmp(once, twice, len) != 0)
		abort();
	release(choice, &first);
	release(choice, &second);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name;
	const uint8_t *value;
	size_t name_len, len;
	uint64_t number;
	if (size == 0)
		return 0;
	unsigned choice = data[0] % 7;
	if (choice < 5)
		decode(choice, data + 1, size - 1);
	else if (choice == 5 && record_get_pair(data + 1, size - 1, &name, &name_len, &value, &len) == 0)
		touch(name, name_len), touch(value, len);
	else if (choice == 6 && record_get_uint(data + 1, size - 1, &number) > 9)
		abort();
	return 0;
}
