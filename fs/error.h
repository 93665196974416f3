/*
 * error.h - results of the rules and how they become an errno.
 *
 * A function of the rules returns 0 for done, a positive errno for an outcome that POSIX names (ENOENT, EEXIST,
 * ENOSPC, ...), and a negative result of the store for a broken world, handed up untouched to the operation that
 * answers the kernel.
 */
#pragma once

/* A result of the store as a result of the rules. */
int error_of_store(int result);
/* A result of the rules as the errno to answer; what is broken is logged here, once. */
int error_errno(const char *operation, int result);
