/*
 * record.h - records as msgpack maps, driven by tables: field number -> place in a struct. The only file with msgpack
 * in it is record.c. Fields that are zero or empty are left out; fields a table does not know are kept as they came.
 */
#pragma once

#include "store/store.h"

enum field_type {
	FIELD_U32,
	FIELD_U64,
	FIELD_I64,
	/*
	 * nanoseconds, 64 bits, kept as the difference to the schema's base: small for what is touched soon after it
	 * was made
	 */
	FIELD_SINCE,
	FIELD_NAME,  /* a length of 32 bits, directly followed by its char[STORE_NAME_MAX + 1] */
};

struct field {
	uint8_t number; /* 1 to 127: the map's key, for good */
	uint8_t type;   /* enum field_type */
	uint16_t offset;
};

struct schema {
	const struct field *fields;
	uint32_t count;
	uint32_t size;         /* of the struct */
	uint32_t base;         /* offset of what FIELD_SINCE counts from */
	int32_t extra;         /* offset of its struct store_extra, or -1: unknown fields are dropped */
};

#define RECORD_MAX 1024 /* bytes an encoded record takes at most, without what a newer version added */

extern const struct schema inode_schema, session_schema, dirent_schema, ending_schema, super_schema;

struct super {
	uint32_t format;
	uint64_t seed;      /* of the hash of names: random for each store */
	uint64_t ino_limit; /* numbers below have been given out, or may have been */
	uint32_t sid_limit;
	int64_t created;
	uint64_t identity[2]; /* random for each store: its logs have it too */
};

/* Encodes into out, of RECORD_MAX + extra length bytes. Returns the length. */
size_t record_encode(const struct schema *, const void *object, uint8_t *out);
size_t record_encoded_max(const struct schema *, const void *object);
/*
 * -EIO if the bytes are not such a record; -ENOMEM. On 0 the object is whole and its extra is the caller's to release.
 */
int record_decode(const struct schema *, const uint8_t *data, size_t len, void *object);

/* The unsigned number at the head of an accounted record (FORMAT.md): bytes read, or -EIO. */
int record_get_uint(const uint8_t *data, size_t len, uint64_t *ret);
/* out has 9 bytes. Returns bytes written. */
size_t record_put_uint(uint64_t value, uint8_t *out);

/* A name and its data, as an array of two: for extended attributes. out has RECORD_MAX + data_len bytes. */
size_t record_put_pair(const char *name, size_t name_len, const void *data, size_t data_len, uint8_t *out);
/* Pointers into the bytes given. -EIO, also if the name is empty or longer than STORE_XATTR_NAME_MAX. */
int record_get_pair(const uint8_t *bytes, size_t len, const char **ret_name, size_t *ret_name_len,
	const uint8_t **ret_data, size_t *ret_data_len);
