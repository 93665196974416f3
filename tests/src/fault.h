/*
 * fault.h - the page that preload_fault.c shares with whoever makes calls of a daemon fail: the file named by
 * FAULT_CONTROL.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum fault_class {
	FAULT_ALLOC,  /* malloc, calloc, realloc */
	FAULT_LMDB,   /* mdb_* */
	FAULT_SYSTEM, /* system calls on regular files: open, write, sync, allocate, map */
	FAULT_CLASSES,
};

struct fault_control {
	_Atomic uint32_t armed;
	_Atomic uint32_t class;  /* enum fault_class */
	_Atomic int32_t error;   /* errno of the failure */
	_Atomic uint32_t lasting; /* 1: all calls from the nth on fail, not just that one */
	_Atomic uint64_t nth;    /* from 1 */
	_Atomic uint64_t count;  /* calls seen while armed */
	_Atomic uint64_t fired;  /* calls that failed */
	char name[128];          /* the call that failed last, and who made it: file and offset, for addr2line -f -e */
};
