/* record.c - the msgpack port: encodes structs by table, and decodes bytes that nobody vouches for. */
#include "store/record.h"

#include <errno.h>
#include <endian.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 32 };

#define F(type, object, member, number) { number, FIELD_##type, offsetof(struct object, member) }
#define SCHEMA(name, object, ...)                                                                                      \
	_Static_assert(sizeof name##_fields / sizeof *name##_fields <= FIELDS_MAX, "FIELDS_MAX");                      \
	const struct schema name##_schema = { .fields = name##_fields,                                                 \
		.count = sizeof name##_fields / sizeof *name##_fields,                                                 \
		.size = sizeof(struct object),                                                                         \
		__VA_ARGS__ }

static const struct field inode_fields[] = {
	F(U32, store_inode, mode, 1),   F(U32, store_inode, uid, 2),    F(U32, store_inode, gid, 3),
	F(U32, store_inode, nlink, 4),  F(U64, store_inode, size, 5),   F(U64, store_inode, rdev, 6),
	F(SINCE, store_inode, atime, 7), F(SINCE, store_inode, mtime, 8), F(SINCE, store_inode, ctime, 9),
	F(I64, store_inode, btime, 10), F(U64, store_inode, parent, 11), F(U64, store_inode, view, 12),
	F(U64, store_inode, flags, 13),  F(U32, store_inode, maker_pid, 14), F(U32, store_inode, maker_uid, 15),
	F(U64, store_inode, maker[0], 16), F(U64, store_inode, maker[1], 17),
};
SCHEMA(inode, store_inode, .base = offsetof(struct store_inode, btime), .extra = offsetof(struct store_inode, extra));

static const struct field dirent_fields[] = {
	F(U64, store_dirent, ino, 1),
	F(U32, store_dirent, session, 2),
	F(U32, store_dirent, type, 3),
	F(NAME, store_dirent, name_len, 4),
};
SCHEMA(dirent, store_dirent, .extra = -1);

static const struct field session_fields[] = {
	F(U64, store_session, root, 1),       F(NAME, store_session, name_len, 2),  F(I64, store_session, created, 3),
	F(I64, store_session, modified, 4),   F(I64, store_session, last_write, 5), F(U64, store_session, files[0], 6),
	F(U64, store_session, files[1], 7),   F(U64, store_session, files[2], 8),   F(U64, store_session, files[3], 9),
	F(U64, store_session, files[4], 10),  F(U64, store_session, logical, 11),   F(U32, store_session, version, 12),
	F(U32, store_session, status, 13),    F(U32, store_session, flags, 14),     F(U32, store_session, run, 15),
	F(U32, store_session, progress, 16),  F(U32, store_session, texts, 17),
	F(SINCE, store_session, status_at, 18), F(I64, store_session, expires, 19), F(I64, store_session, skew, 20),
	F(I64, store_session, cache_oldest, 21),
	F(I64, store_session, ended, 22),      F(I64, store_session, until, 23),      F(U32, store_session, ending, 24),
	F(U64, store_session, creations, 25),   F(U64, store_session, modifications, 26),
	F(U64, store_session, operations, 27),  F(U64, store_session, first_event, 28),
	F(U64, store_session, end_event, 29),   F(U32, store_session, event_lines, 30),
	F(U64, store_session, untold, 31),      F(U64, store_session, untold_bytes, 32),
};
SCHEMA(session, store_session, .base = offsetof(struct store_session, created),
	.extra = offsetof(struct store_session, extra));

static const struct field ending_fields[] = {
	F(NAME, store_ending, name_len, 1),      F(I64, store_ending, created, 2), F(SINCE, store_ending, ended, 3),
	F(I64, store_ending, until, 4),          F(U32, store_ending, ending, 5),  F(U32, store_ending, status, 6),
	F(U64, store_ending, files, 7),          F(U64, store_ending, logical, 8), F(U64, store_ending, stored, 9),
	F(U64, store_ending, creations, 10),     F(U64, store_ending, modifications, 11),
	F(U64, store_ending, operations, 12),
};
SCHEMA(ending, store_ending, .base = offsetof(struct store_ending, created), .extra = -1);

static const struct field super_fields[] = {
	F(U32, super, format, 1),
	F(U64, super, seed, 2),
	F(U64, super, ino_limit, 3),
	F(U32, super, sid_limit, 4),
	F(I64, super, created, 5),
	F(U64, super, identity[0], 6),
	F(U64, super, identity[1], 7),
};
SCHEMA(super, super, .extra = -1);

/* ---- encoding --------------------------------------------------------------------------------------------------- */

struct writer {
	uint8_t *data;
	size_t len;
};

static int writer_append(struct writer *w, const void *bytes, size_t len)
{
	memcpy(w->data + w->len, bytes, len);
	w->len += len;
	return 0;
}

/*
 * The library's packers once more, as pack_*: with the append known to the compiler they cost a fraction of those with
 * a callback.
 */
#define msgpack_pack_inline_func(name) __attribute__((unused)) static inline int pack##name
#define msgpack_pack_inline_func_cint(name) __attribute__((unused)) static inline int pack##name
#define msgpack_pack_inline_func_fixint(name) __attribute__((unused)) static inline int pack_fix##name
#define msgpack_pack_user struct writer *
#define msgpack_pack_append_buffer(user, bytes, len) return writer_append(user, bytes, len)
#include <msgpack/pack_template.h>

static uint64_t load_u64(const uint8_t *at)
{
	uint64_t u64;
	memcpy(&u64, at, sizeof u64);
	return u64;
}

/* A field as a number that is 0 where the field is left out. */
static inline uint64_t load_field(const struct field *f, const uint8_t *object, uint64_t base)
{
	uint32_t u32;
	if (f->type != FIELD_U32 && f->type != FIELD_NAME)
		return load_u64(object + f->offset) - (f->type == FIELD_SINCE ? base : 0);
	memcpy(&u32, object + f->offset, sizeof u32);
	return u32;
}

/*
 * An unsigned number in the fewest bytes, as pack_uint64 has it, which decides in many steps: most numbers of a record
 * are either times or below 128. Writes up to 8 bytes behind what it needs.
 */
static inline uint8_t *put_number(uint8_t *p, uint64_t value)
{
	if (value < 0x80) {
		*p = (uint8_t)value;
		return p + 1;
	}
	unsigned width = value >> 32 ? 3 : value >> 16 ? 2 : value >> 8 != 0;
	uint64_t bytes = htobe64(value << (64 - (8u << width)));
	*p = (uint8_t)(0xcc + width);
	memcpy(p + 1, &bytes, sizeof bytes);
	return p + 1 + (1u << width);
}

static uint8_t *put_field(uint8_t *p, const struct field *f, uint64_t value, const uint8_t *object)
{
	struct writer w = { p, 1 };
	*p = f->number;
	if (f->type == FIELD_NAME) {
		pack_bin(&w, value);
		pack_bin_body(&w, object + f->offset + sizeof(uint32_t), value);
	} else if ((int64_t)value < 0 && (f->type == FIELD_I64 || f->type == FIELD_SINCE)) {
		pack_int64(&w, (int64_t)value);
	} else {
		return put_number(p + 1, value);
	}
	return p + w.len;
}

static const struct store_extra *extra_of(const struct schema *s, const void *object)
{
	static const struct store_extra none;
	return s->extra < 0 ? &none : (const void *)((const uint8_t *)object + s->extra);
}

size_t record_encoded_max(const struct schema *s, const void *object)
{
	return RECORD_MAX + extra_of(s, object)->len;
}

/* Puts the head of a map before a body of len bytes that was written behind the shortest of heads. */
static size_t put_head(uint8_t *out, uint32_t count, size_t len)
{
	struct writer w = { out, 0 };
	if (count > 15)
		memmove(out + 3, out + 1, len);
	pack_map(&w, count);
	return w.len + len;
}

size_t record_encode(const struct schema *s, const void *object, uint8_t *out)
{
	const struct store_extra *extra = extra_of(s, object);
	uint64_t base = load_u64((const uint8_t *)object + s->base);
	uint32_t count = extra->count;
	uint8_t *p = out + 1;

	for (const struct field *f = s->fields; f < s->fields + s->count; f++) {
		uint64_t value = load_field(f, object, base);
		if (!value)
			continue;
		p = put_field(p, f, value, object);
		count++;
	}
	if (extra->len)
		memcpy(p, extra->data, extra->len);
	return put_head(out, count, (size_t)(p - out) - 1 + extra->len);
}

size_t record_put_uint(uint64_t value, uint8_t *out)
{
	return (size_t)(put_number(out, value) - out);
}

size_t record_put_pair(const char *name, size_t name_len, const void *data, size_t data_len, uint8_t *out)
{
	struct writer w = { out, 0 };
	pack_array(&w, 2);
	pack_bin(&w, name_len);
	pack_bin_body(&w, name, name_len);
	pack_bin(&w, data_len);
	pack_bin_body(&w, data, data_len);
	return w.len;
}

/* ---- decoding --------------------------------------------------------------------------------------------------- */

static uint64_t get_big_endian(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;
	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/*
 * One integer of any msgpack width. The records on the hot path are maps of small integers; reading these directly,
 * bounds checked, is several times faster than building msgpack-c's object tree. Bytes read, 0: something else, -EIO:
 * cut short.
 */
static int get_integer(const uint8_t *p, size_t len, uint64_t *ret)
{
	if (len == 0)
		return -EIO;
	if (p[0] < 0x80 || p[0] >= 0xe0) {
		*ret = (uint64_t)(int64_t)(int8_t)p[0];
		return 1;
	}
	if (p[0] < 0xcc || p[0] > 0xd3)
		return 0;
	unsigned bytes = 1u << ((p[0] - 0xcc) & 3);
	if (len < 1 + bytes)
		return -EIO;
	uint64_t v = get_big_endian(p + 1, bytes);
	if (p[0] >= 0xd0 && bytes < 8) {
		unsigned shift = 64 - 8 * bytes;
		v = (uint64_t)((int64_t)(v << shift) >> shift);
	}
	*ret = v;
	return (int)(1 + bytes);
}

int record_get_uint(const uint8_t *data, size_t len, uint64_t *ret)
{
	int n = get_integer(data, len, ret);
	return n > 0 ? n : -EIO;
}

static int get_map_header(const uint8_t *p, size_t len, uint32_t *ret_count)
{
	if (len >= 1 && (p[0] & 0xf0) == 0x80) {
		*ret_count = p[0] & 0x0f;
		return 1;
	}
	if (len >= 3 && p[0] == 0xde) {
		*ret_count = (uint32_t)get_big_endian(p + 1, 2);
		return 3;
	}
	return -EIO;
}

static int get_name(const uint8_t *p, size_t len, uint8_t *at)
{
	if (len < 2 || p[0] != 0xc4 || len < 2u + p[1])
		return -EIO;
	uint32_t n = p[1];
	memcpy(at, &n, sizeof n);
	memcpy(at + sizeof n, p + 2, n);
	at[sizeof n + n] = 0;
	return (int)(2 + n);
}

static int get_field(const struct field *f, const uint8_t *p, size_t len, uint8_t *at)
{
	uint64_t value;
	if (f->type == FIELD_NAME)
		return get_name(p, len, at);
	int n = get_integer(p, len, &value);
	if (n <= 0)
		return -EIO;
	if (f->type == FIELD_U32) {
		uint32_t u32 = (uint32_t)value;
		if (u32 != value)
			return -EIO;
		memcpy(at, &u32, sizeof u32);
	} else {
		memcpy(at, &value, sizeof value);
	}
	return n;
}

/*
 * Head of a value: its length with the bytes that belong to it, 0 if it is none; *ret_inside is the number of values
 * that follow.
 */
static uint64_t head_length(const uint8_t *p, size_t len, uint64_t *ret_inside)
{
	static const uint8_t fixed[32] = { [0xc0 - 0xc0] = 1,
		[0xc2 - 0xc0] = 1,
		[0xc3 - 0xc0] = 1,
		[0xca - 0xc0] = 5,
		[0xcb - 0xc0] = 9,
		[0xcc - 0xc0] = 2,
		3,
		5,
		9,
		2,
		3,
		5,
		9,
		3,
		4,
		6,
		10,
		18 };
	static const uint8_t widths[32] = { [0xc4 - 0xc0] = 1, 2, 4, 1, 2, 4, [0xd9 - 0xc0] = 1, 2, 4, 2, 4, 2, 4 };
	*ret_inside = 0;
	if (p[0] < 0x80 || p[0] >= 0xe0)
		return 1;
	if (p[0] < 0xa0) {
		*ret_inside = (p[0] & 0x0fu) * (p[0] < 0x90 ? 2 : 1);
		return 1;
	}
	if (p[0] < 0xc0)
		return 1u + (p[0] & 0x1fu);
	unsigned i = p[0] - 0xc0u, width = widths[i];
	if (!width || len < 1 + width)
		return fixed[i];
	uint64_t n = get_big_endian(p + 1, width);
	if (p[0] < 0xdc)
		return 1 + width + n + (p[0] >= 0xc7 && p[0] <= 0xc9);
	*ret_inside = p[0] < 0xde ? n : 2 * n;
	return 1 + width;
}

/*
 * Length of any value: of an unknown field, whose content is nobody's business here. Not through the library, which
 * takes memory for as many values as a damaged head claims to have.
 */
static int skip_value(const uint8_t *p, size_t len)
{
	size_t at = 0;
	for (uint64_t left = 1; left; left--) {
		uint64_t inside, n = at < len ? head_length(p + at, len - at, &inside) : 0;
		if (n == 0 || n > len - at)
			return -EIO;
		at += n;
		left += inside;
		if (left - 1 > len - at)
			return -EIO;
	}
	return (int)at;
}

static int keep_extra(struct store_extra *extra, const uint8_t *p, size_t len)
{
	uint8_t *grown = realloc(extra->data, extra->len + len);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + extra->len, p, len);
	extra->data = grown;
	extra->len += (uint32_t)len;
	extra->count++;
	return 0;
}

/* Length of the whole, header included; *ret points at the body. */
static int64_t get_bin(const uint8_t *p, size_t len, const uint8_t **ret, size_t *ret_len)
{
	if (len == 0 || p[0] < 0xc4 || p[0] > 0xc6)
		return -EIO;
	unsigned width = 1u << (p[0] - 0xc4);
	if (len < 1 + width)
		return -EIO;
	uint64_t n = get_big_endian(p + 1, width);
	if (n > len - 1 - width)
		return -EIO;
	*ret = p + 1 + width;
	*ret_len = n;
	return (int64_t)(1 + width + n);
}

int record_get_pair(const uint8_t *bytes, size_t len, const char **ret_name, size_t *ret_name_len,
	const uint8_t **ret_data, size_t *ret_data_len)
{
	const uint8_t *name;
	size_t name_len;
	if (len == 0 || bytes[0] != 0x92)
		return -EIO;
	int64_t n = get_bin(bytes + 1, len - 1, &name, &name_len);
	if (n < 0 || name_len == 0 || name_len > STORE_XATTR_NAME_MAX)
		return -EIO;
	n = get_bin(bytes + 1 + n, len - 1 - (size_t)n, ret_data, ret_data_len);
	if (n < 0)
		return -EIO;
	*ret_name = (const char *)name;
	*ret_name_len = name_len;
	return 0;
}

static const struct field *find_field(const struct schema *s, uint64_t number, uint32_t *hint)
{
	for (uint32_t i = *hint; i < s->count; i++)
		if (s->fields[i].number == number)
			return *hint = i + 1, &s->fields[i];
	for (uint32_t i = 0; i < *hint && i < s->count; i++)
		if (s->fields[i].number == number)
			return &s->fields[i];
	return NULL;
}

static int decode_pair(const struct schema *s, const uint8_t *p, size_t len, uint32_t *hint, uint8_t *object)
{
	uint64_t number;
	int key_len = get_integer(p, len, &number);
	if (key_len <= 0)
		return -EIO;
	const struct field *f = find_field(s, number, hint);
	int n = f ? get_field(f, p + key_len, len - (size_t)key_len, object + f->offset)
		  : skip_value(p + key_len, len - (size_t)key_len);
	if (n <= 0)
		return n ? n : -EIO;
	if (!f && s->extra >= 0) {
		int r = keep_extra((struct store_extra *)(object + s->extra), p, (size_t)(key_len + n));
		if (r)
			return r;
	}
	return key_len + n;
}

static void add_base(const struct schema *s, uint8_t *object)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->fields[i].type != FIELD_SINCE)
			continue;
		uint64_t value = load_u64(object + s->fields[i].offset) + load_u64(object + s->base);
		memcpy(object + s->fields[i].offset, &value, sizeof value);
	}
}

int record_decode(const struct schema *s, const uint8_t *data, size_t len, void *object)
{
	uint32_t count, hint = 0;
	memset(object, 0, s->size);
	int r = get_map_header(data, len, &count);
	if (r < 0)
		return r;
	size_t at = (size_t)r;
	for (uint32_t i = 0; i < count; i++) {
		r = decode_pair(s, data + at, len - at, &hint, object);
		if (r < 0)
			goto fail;
		at += (size_t)r;
	}
	if (at == len) {
		add_base(s, object);
		return 0;
	}
	r = -EIO;
fail:
	if (s->extra >= 0)
		free(((struct store_extra *)((uint8_t *)object + s->extra))->data);
	return r;
}

void store_inode_release(struct store_inode *i)
{
	free(i->extra.data);
	i->extra = (struct store_extra){ 0 };
}

void store_session_release(struct store_session *s)
{
	free(s->extra.data);
	s->extra = (struct store_extra){ 0 };
}
